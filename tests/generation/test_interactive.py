import re
from collections.abc import Iterator

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.generation.interactive import HELP, SHOWN, Session, converse
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writer import Writer
from rnnlm.generation.writing import WritingSettings
from rnnlm.models.language_model import LanguageModel


def say(session: Session, *lines: str) -> str:
    """Type lines; return the reply to the last, or the error that it is."""
    for line in lines:
        pieces: list[str] = []
        try:
            pieces.extend(session.reply(line))
        except RnnlmError as error:
            pieces.append(f"{error}\n")
    return "".join(pieces)


def test_a_choice_is_added_and_taken_back(word_model: LanguageModel):
    session = Session(word_model.writer)
    reply = say(session, "The cat")
    choices = word_model.writer.next_tokens("The cat", 9, writing=WritingSettings())
    assert len(choices) == 9
    assert reply.startswith("The cat\n  1 ")
    for number, (token, probability) in enumerate(choices, start=1):
        assert f"{number} {'(end)' if token == 'SENTENCE_END' else token} {probability:.1%}" in reply
    number = next(i for i, (token, _) in enumerate(choices, start=1) if token.isalpha())
    assert say(session, str(number)).startswith(f"The cat {choices[number - 1][0]}\n")
    assert say(session, "/undo").startswith("The cat\n")
    assert say(session, "/undo").startswith("\n")
    assert say(session, "/undo") == "There is nothing to undo.\n"


def test_an_empty_line_lets_the_model_go_on(word_model: LanguageModel):
    texts = []
    for seed in (1, 1, 2):
        session = Session(word_model.writer, "the cat", writing=WritingSettings(max_tokens=6), seed=seed)
        reply = say(session, "")
        assert reply.startswith(f"{session.text}\n  1 ")
        assert len(session.text) > len("the cat")
        texts.append(session.text)
    assert texts[0] == texts[1] != texts[2]
    assert say(session, "/undo").startswith("the cat\n")
    say(session, "")
    assert session.text != texts[2]  # another try


def test_text_is_added_as_it_is_typed(word_model: LanguageModel, char_model: LanguageModel):
    session = Session(word_model.writer)
    say(session, "The cat", "sees", ", 2", " 3", " /x")
    assert session.text == "The cat sees, 2 3 /x"
    session = Session(char_model.writer, "Th")
    say(session, "e", " cat", "12", " 3", "0", "٣")
    assert session.text == "The cat12 30٣"
    assert "' '" in say(session, "/new", "the")


def test_a_backslash_before_what_would_be_a_choice_or_a_command_makes_it_text(
    word_model: LanguageModel, char_model: LanguageModel
):
    session = Session(char_model.writer, "page ")
    say(session, r"\1", r"\/2", r"\\n")
    assert session.text == r"page 1/2\n"
    session = Session(word_model.writer, "page")
    say(session, r"\1", "23", "9" * 5000)
    assert session.text == f"page 1 23 {'9' * 5000}"
    assert say(session, "\\") == "There is no text after the backslash; type it twice to add one.\n"


def test_commands(word_model: LanguageModel):
    session = Session(word_model.writer, "the cat", writing=WritingSettings(SamplingSettings(greedy=True)))
    assert say(session, "/temperature 0.5") == say(session, "/t .5")
    assert say(session, "/temperature 0.5").startswith("temperature 0.5\n  1 ")
    for wrong in ("/t", "/t x", "/t nan", "/temperature -1"):
        assert say(session, wrong) == "/temperature needs a number from 0, as in /temperature 0.7.\n"
    assert say(session, "/h") == HELP
    assert say(session, "/x") == "/x is not a command; /help lists them.\n"
    assert say(session, "/") == "/ is not a command; /help lists them.\n"
    assert say(session, "/n").startswith("\n")
    assert say(session, "/u").startswith("the cat\n")
    assert not session.done
    assert say(session, "/q") == ""
    assert session.done


def percentages(reply: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)%", reply)]


def test_the_percentages_are_those_with_which_the_model_goes_on(word_model: LanguageModel):
    session = Session(word_model.writer, "the cat")
    warm, hot = percentages(say(session, "/t 1")), percentages(say(session, "/t 4"))
    assert hot[0] < warm[0]
    assert say(session, "/t 0").endswith(" 100.0%\n")
    [(likeliest, _)] = word_model.writer.next_tokens("the cat", 1)
    assert f"\n  1 {likeliest} " in say(session, "/t 0")

    narrow = WritingSettings(SamplingSettings(top_k=3), ban=[likeliest], min_tokens=1)
    reply = say(Session(word_model.writer, "the cat", writing=narrow), "/t 1")
    assert len(percentages(reply)) == 3
    assert sum(percentages(reply)) == pytest.approx(100, abs=0.2)
    assert f" {likeliest} " not in reply
    assert "(end)" not in reply


def test_at_the_temperature_0_the_most_likely_text_follows(word_model: LanguageModel):
    session = Session(word_model.writer, "the cat", seed=1)
    say(session, "/temperature 0", "")
    assert session.text == word_model.generate("the cat", greedy=True)


def test_a_choice_that_is_not_listed(word_model: LanguageModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Writer, "next_tokens", lambda *_, **__: [("the", 0.5), ("cat", 0.3), ("dog", 0.2)])
    assert say(Session(word_model.writer), "4") == "There is no choice 4; give a number from 1 to 3.\n"


def test_the_end_of_the_sentence_cannot_be_added(word_model: LanguageModel):
    session = Session(word_model.writer, "the cat sees the dog.")
    tokens = [token for token, _ in word_model.writer.next_tokens(session.text, 9, writing=WritingSettings())]
    assert say(session, str(tokens.index("SENTENCE_END") + 1)).startswith("The sentence ends here")


def test_words_that_the_model_does_not_know_are_named(word_model: LanguageModel):
    session = Session(word_model.writer)
    assert say(session, "the zebra sees a zebra").startswith("(not in the vocabulary: zebra, a)\nthe zebra sees")
    assert "vocabulary" not in say(session, "the cat")


def test_quotation_marks_are_listed_as_they_will_read(word_model: LanguageModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Writer, "next_tokens", lambda *_, **__: [("``", 0.5), ("''", 0.3)])
    assert say(Session(word_model.writer), "the").endswith('  1 " 50.0%   2 " 30.0%\n')


def test_a_long_text_is_shown_by_its_end(char_model: LanguageModel):
    text = "the cat " * 100
    [shown, _] = say(Session(char_model.writer), text).split("\n", 1)
    assert shown == f"… {text[-SHOWN:]}"


def test_what_was_written_stays_when_a_continuation_is_stopped(char_model: LanguageModel):
    session = Session(char_model.writer, "The ", seed=1)
    written: list[str] = []
    lines = iter(["", "", "/q"])

    def write(text: str) -> None:
        written.append(text)
        if session.text == "".join(written[1:]) and len(session.text) == 14:
            raise KeyboardInterrupt

    converse(session, lambda prompt: next(lines), write)
    assert "".join(written[1:13]) == f"{written[1]}{''.join(written[2:12])}\n"
    assert session.done
    assert len(session.text) > 14


def test_an_error_is_explained_and_the_session_goes_on(word_model: LanguageModel):
    written: list[str] = []
    lines = iter(["/undo", "the cat", "/q"])
    converse(Session(word_model.writer), lambda prompt: next(lines), written.append, str.upper)
    assert written[0] == "THERE IS NOTHING TO UNDO.\n"
    assert written[1].startswith("the cat\n")


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_end_of_the_input_ends_it_and_an_interrupt_at_the_prompt_does_not(
    word_model: LanguageModel, interrupted: bool
):
    def lines() -> Iterator[str]:
        if interrupted:
            raise KeyboardInterrupt
        yield "the cat"

    typed = lines()
    written: list[str] = []

    def read(prompt: str) -> str:
        assert prompt == "> "
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    converse(Session(word_model.writer), read, written.append)
    assert written[0].startswith("\n" if interrupted else "the cat\n")
    assert written[-1] == "\n"
