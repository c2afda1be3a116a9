from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.text.continuation import Continuation
from rnnlm.text.joining.place import Place
from rnnlm.text.processor import TextProcessor, TextSettings
from tests.text.words import WORDS

NAMES = ("nltk", "tweet", "whitespace", "unicode", "characters")
PROCESSORS = {
    **{name: TextProcessor(TextSettings(name)) for name in NAMES},
    "unspaced": TextProcessor(TextSettings("whitespace", join="none")),
    "lines": TextProcessor(TextSettings("nltk", keep_lines=True)),
    "lines of unicode": TextProcessor(TextSettings("unicode", keep_lines=True)),
}


def grown(name: str, seed: list[str], tokens: list[str], stop: tuple[str, ...] = ()) -> tuple[Continuation, str]:
    """Add tokens until there are no more, or a stop text appears; return also what was settled before that."""
    processor = PROCESSORS[name]
    continuation = Continuation(processor, processor.detokenize(seed), seed, stop=stop)
    settled = ""
    for token in tokens:
        continuation.append(token)
        if continuation.stopped:
            break
        settled += continuation.settled[len(settled) :]
    return continuation, settled


@settings(max_examples=100)
@given(
    name=st.sampled_from(sorted(PROCESSORS)),
    seed=st.lists(st.sampled_from(WORDS), max_size=3),
    tokens=st.lists(st.sampled_from(WORDS), min_size=1, max_size=10),
    stop=st.lists(st.sampled_from(["the", "t", ". ", "bar the", " ca", "n't", '"']), max_size=2),
)
def test_what_is_settled_stays_and_no_stop_text_is_left(
    name: str, seed: list[str], tokens: list[str], stop: list[str]
):
    continuation, settled = grown(name, seed, tokens, tuple(stop))
    assert continuation.added.startswith(settled)
    assert continuation.tokens == tokens[: len(continuation.tokens)]
    assert not any(text in continuation.added for text in stop)
    again, _ = grown(name, seed, continuation.tokens)
    assert again.added == continuation.added


@settings(max_examples=100)
@given(
    name=st.sampled_from(sorted(PROCESSORS)),
    tokens=st.lists(st.sampled_from(WORDS), min_size=1, max_size=10),
    stop=st.lists(st.sampled_from(["the", "t", ". ", "bar the", " ca", "n't", '"']), min_size=1, max_size=2),
)
def test_a_stop_text_that_is_kept_is_in_the_text_and_not_before(name: str, tokens: list[str], stop: list[str]):
    kept = Continuation(PROCESSORS[name], "", [], stop=stop, keep_stop=True)
    settled = ""
    for token in tokens:
        assert not any(text in kept.added for text in stop)
        kept.append(token)
        if kept.stopped:
            assert any(text.rstrip() in kept.added for text in stop)
            break
        assert kept.settled.startswith(settled)
        settled = kept.settled
    assert kept.added.startswith(settled)
    assert kept.tokens == tokens[: len(kept.tokens)]
    assert kept.added == Continuation(PROCESSORS[name], "", [], kept.tokens).added


def added_at_once(name: str, seed_text: str, seed: list[str], tokens: list[str]) -> str:
    """Make readable text of all tokens, and return what it has after the seed text."""
    detokenize = PROCESSORS[name].detokenize
    whole, begun = detokenize([*seed, *tokens]), detokenize(seed)
    added = whole.removeprefix(begun) if whole.startswith(begun) else " " + detokenize(tokens)
    return added.lstrip(" ") if seed_text[-1:].isspace() and not begun[-1:].isspace() else added


@settings(max_examples=300)
@given(
    name=st.sampled_from(sorted(PROCESSORS)),
    seed=st.lists(st.sampled_from(WORDS), max_size=3),
    space=st.sampled_from(["", " "]),
    tokens=st.lists(st.sampled_from(WORDS) | st.text(max_size=4).filter(bool), min_size=1, max_size=12),
)
def test_text_that_grows_is_that_of_all_tokens_at_once(name: str, seed: list[str], space: str, tokens: list[str]):
    processor = PROCESSORS[name]
    seed_text = processor.detokenize(seed) + space
    continuation = Continuation(processor, seed_text, seed)
    for number, token in enumerate(tokens, start=1):
        continuation.append(token)
        assert continuation.added == added_at_once(name, seed_text, seed, tokens[:number])
        at_once = Continuation(processor, seed_text, seed, tokens[:number])
        assert (at_once.tokens, at_once.text) == (tokens[:number], continuation.text)


def test_words_settle_at_once_but_before_what_the_next_one_decides():
    continuation, settled = grown("nltk", ["i"], ["do", "n't", "know", "."])
    assert (continuation.text, settled) == ("i don't know.", " don't know")
    continuation, settled = grown("characters", ["I"], [" ", "d", "o"])
    assert (continuation.text, settled) == ("I do", " do")


def test_the_text_ends_with_the_last_whole_token_before_a_stop_text():
    for stop, text in (
        (".", "the cat sees it"),
        ("ees", "the cat"),
        ("cat s", "the"),
        ("the", "the cat sees it."),
    ):
        continuation, _ = grown("nltk", ["the"], ["cat", "sees", "it", "."], (stop,))
        assert continuation.text == text
        assert continuation.stopped == (stop != "the")  # that is in the seed text only
    continuation, _ = grown("characters", ["a"], list("bcdef"), ("ef", "de"))
    assert continuation.text == "abc"


@pytest.mark.parametrize("name", ["nltk", "tweet"])
@pytest.mark.parametrize(
    ("seed", "tokens", "text"),
    [
        ('He said, "', "people .", 'He said, "people.'),
        ('So. He said, "', "people .", 'So. He said, "people.'),
        ('He said, " ', "people .", 'He said, " people.'),
        ("The dogs'", "home .", "The dogs' home."),
        ("The 'dogs'", ", too", "The 'dogs', too"),
        ("see $", "5 now", "see $5 now"),
        ("I like (", "some ) of it", "I like (some) of it"),
    ],
)
def test_a_seed_goes_on_as_it_was_typed(name: str, seed: str, tokens: str, text: str):
    processor = PROCESSORS[name]
    continuation = Continuation(processor, seed, processor.tokenize(seed), tokens.split())
    assert continuation.text == text
    growing, settled = Continuation(processor, seed, processor.tokenize(seed)), ""
    for token in tokens.split():
        growing.append(token)
        assert growing.settled.startswith(settled)
        settled = growing.settled
    assert growing.text == text
    assert growing.added.startswith(settled)


@pytest.mark.parametrize(
    ("name", "tokens", "stop", "text"),
    [
        ("nltk", "He came . She", ". ", "He came."),
        ("nltk", 'He said " so . " She', '." ', 'He said "so."'),
        ("nltk", "He came . She", ". S", "He came. She"),
        ("nltk", "He came", " ", "He"),
        ("unicode", "▁He ▁came . ▁She", ". ", "He came."),
        ("unicode", "▁He ▁came . ▁She", ". Sh", "He came. She"),
        ("unicode", "▁a . ▁ ▁b", ".  ", "a. "),
        ("characters", list("a. b"), ". ", "a. "),
        ("lines", ["a", "\n", "\n", "b"], "\n\n", "a\n\n"),
    ],
)
def test_a_kept_stop_text_brings_no_word_after_its_white_space(
    name: str, tokens: str | list[str], stop: str, text: str
):
    kept = Continuation(PROCESSORS[name], "", [], stop=[stop], keep_stop=True)
    settled = ""
    for token in tokens.split() if isinstance(tokens, str) else tokens:
        kept.append(token)
        if kept.stopped:
            break
        settled = kept.settled
    assert kept.stopped
    assert kept.added == text
    assert kept.added.startswith(settled)


def test_what_may_begin_a_stop_text_is_held_back():
    _, settled = grown("characters", [], list("one tw"), ("two", "x"))
    assert settled == "one "
    _, settled = grown("whitespace", [], ["one", "foo-bar"], ("bar the",))
    assert settled == "one"


@pytest.mark.parametrize("name", sorted(PROCESSORS))
@pytest.mark.parametrize("stop", [(), ("\n\n", "no such text")])
def test_a_token_costs_the_same_in_a_long_text(name: str, stop: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    decisions = 0
    arrive = Place.arrive

    def counted(place: Place, tokens: Sequence[str], index: int) -> None:
        nonlocal decisions
        decisions += 1
        arrive(place, tokens, index)

    monkeypatch.setattr(Place, "arrive", counted)
    tokens = ['"', "yes", ",", "the", "foo-bar", "ca", "n't", "see", "."] * 200
    _, settled = grown(name, ["he", "said", ":"], tokens, stop)
    assert len(settled) > 4000
    assert decisions < 3 * len(tokens)
