from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.config import TrainingConfig
from rnnlm.errors import RnnlmError
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writing import DEFAULT_LENGTH, WritingSettings
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.sentences import train_punkt
from rnnlm.text.vocabulary import Vocabulary
from tests.networks import make_network


def test_generate_goes_on_from_the_text_as_it_was_written(word_model: LanguageModel):
    text = word_model.generate("The CAT  sees", seed=1)
    assert text.startswith("The CAT  sees")
    assert len(text) > len("The CAT  sees")


@pytest.mark.parametrize("batching", ["sentences", "stream"])
def test_the_last_sentence_of_the_seed_text_is_continued(word_model: LanguageModel, batching: str):
    """What was before it is read as in training, and by `score`: only where the state is carried along."""
    vocabulary, ids = word_model.vocabulary, word_model.vocabulary.encode
    settings = replace(vocabulary.settings, sentences=True, punkt=train_punkt(["The cat sees it. The dog does."]))
    config = word_model.config.model_copy(update={"training": TrainingConfig(batching=batching)})
    model = LanguageModel(word_model.network, Vocabulary(vocabulary.tokens, vocabulary.counts, settings), config)
    earlier, last = ["the", "cat", "sees", "the", "old", "hen", "."], ["the", "dog"]
    read = [vocabulary.start_id, *ids(last)]
    if batching == "stream":
        read = [vocabulary.start_id, *ids(earlier), *read]
    seed_text = "The cat sees the old hen. The dog"
    expected = np.exp(model.log_probs(read)[-1])
    for token, probability in model.writer.next_tokens(seed_text, 3):
        assert probability == pytest.approx(expected[vocabulary.tokens.index(token)], rel=1e-4)
    assert model.writer.seed_text("The cat. The zebra").unknown_words == ["zebra"]
    assert model.generate(seed_text, seed=1).startswith(seed_text)


def test_a_space_at_the_end_of_the_seed_text_is_not_doubled(word_model: LanguageModel):
    with_space = word_model.generate("the cat ", seed=1)
    assert with_space == word_model.generate("the cat", seed=1)
    assert "  " not in with_space


def test_generated_characters_follow_the_seed_text_at_once(char_model: LanguageModel):
    [sample] = char_model.samples("The ", writing=WritingSettings(max_tokens=10), seed=1)
    assert len(sample.tokens) == 10
    assert sample.text == "The " + "".join(sample.tokens)


def test_the_seed_decides_the_text(word_model: LanguageModel):
    texts = [word_model.generate("the", seed=seed) for seed in (1, 1, 2, 3)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3
    assert word_model.generate("the", seed=np.int64(1)) == texts[0]  # type: ignore[arg-type]
    assert len({word_model.generate("the") for _ in range(5)}) > 1


def test_a_sample_is_the_same_for_any_number_of_them(word_model: LanguageModel):
    many = word_model.samples("the", 6, seed=4)
    assert len({sample.text for sample in many}) > 1
    assert [sample.text for sample in word_model.samples("the", 3, seed=4)] == [s.text for s in many[:3]]


def test_greedy_needs_no_seed_and_equals_the_first_of_top_k(word_model: LanguageModel):
    greedy = word_model.generate("the cat", greedy=True)
    assert greedy == word_model.generate("the cat", greedy=True, seed=7)
    assert greedy == word_model.generate("the cat", top_k=1, seed=3)
    assert greedy == word_model.generate("the cat", top_p=1e-9, seed=3)
    assert greedy == word_model.generate("the cat", temperature=1e-6, seed=3)


def test_the_unknown_token_is_written_only_where_allowed(word_model: LanguageModel):
    hot = SamplingSettings(temperature=3.0)
    for allowed in (False, True):
        samples = word_model.samples("", 30, writing=WritingSettings(hot, allow_unknown=allowed), seed=0)
        assert any("UNKNOWN_TOKEN" in sample.tokens for sample in samples) == allowed
        assert not any("SENTENCE_START" in s.tokens or "SENTENCE_END" in s.tokens for s in samples)


def test_max_tokens_and_its_default(word_model: LanguageModel, char_model: LanguageModel):
    short = WritingSettings(SamplingSettings(temperature=100.0), max_tokens=4)
    assert max(len(sample.tokens) for sample in word_model.samples("", 20, writing=short, seed=0)) == 4
    assert word_model.generate("the cat", max_tokens=0) == "the cat"
    for model, level in ((word_model, "word"), (char_model, "char")):
        endless = make_network(len(model.vocabulary), hidden_size=4, bias=True)
        endless.parameters["output.bias"][model.vocabulary.end_id] = -np.inf
        never = LanguageModel(endless, model.vocabulary, model.config)
        [sample] = never.samples(seed=0)
        assert len(sample.tokens) == DEFAULT_LENGTH[level]


@pytest.mark.parametrize(
    "arguments",
    [{"temperature": -1}, {"top_k": 0}, {"top_p": 2}, {"seed": -1}, {"max_tokens": -1}],
)
def test_generate_refuses_what_makes_no_sense(word_model: LanguageModel, arguments: dict[str, int]):
    [name] = arguments
    with pytest.raises(RnnlmError, match=name):
        word_model.generate("the", **arguments)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    words=st.booleans(),
    text=st.sampled_from(["", "The cat", "the cat ", "the dog."]),
    stop=st.sampled_from([(), ("the",), (" s", "n't"), (".",)]),
    keep_stop=st.booleans(),
    ban=st.sampled_from([(), ("cat", "the old"), ("th", "e d")]),
)
def test_the_pieces_of_a_stream_are_the_text_of_a_sample(
    word_model: LanguageModel,
    char_model: LanguageModel,
    seed: int,
    words: bool,
    text: str,
    stop: tuple[str, ...],
    keep_stop: bool,
    ban: tuple[str, ...],
):
    model = word_model if words else char_model
    sampling = SamplingSettings(1.5, repetition_penalty=1.2)
    writing = WritingSettings(sampling, max_tokens=15, min_tokens=3, stop=stop, keep_stop=keep_stop, ban=ban)
    [sample] = model.samples(text, writing=writing, seed=seed)
    pieces = []
    for piece in model.stream(text, writing=writing, seed=seed):
        pieces.append(piece)
        model.score("a text")  # the network may be used in between
    assert "".join(pieces) == sample.text
    assert all(pieces)


def test_a_stream_comes_token_by_token(char_model: LanguageModel):
    pieces = list(char_model.stream("The", writing=WritingSettings(max_tokens=5, min_tokens=5), seed=1))
    assert pieces[0] == "The"
    assert list(map(len, pieces[1:])) == [1] * 5


def test_a_stop_text_ends_text_tokens_and_log_prob_alike(word_model: LanguageModel):
    whole = word_model.samples("the cat", 20, seed=0)
    stopped = word_model.samples("the cat", 20, writing=WritingSettings(stop=[" the", "."]), seed=0)
    cut = 0
    for before, sample in zip(whole, stopped, strict=True):
        ids = word_model.vocabulary.encode(["the", "cat", *sample.tokens])
        assert sample.tokens == before.tokens[: len(sample.tokens)]
        assert not {"the", "."} & set(sample.tokens)
        if len(sample.tokens) < len(before.tokens):
            cut += 1
            log_probs = word_model.log_probs([1, *ids])
            expected = sum(float(log_probs[t, ids[t]]) for t in range(2, len(ids)))
            assert sample.log_prob == pytest.approx(expected, abs=1e-4)
            assert before.text.startswith(sample.text)
    assert cut > 10


def test_a_stop_text_that_is_kept_ends_text_tokens_and_log_prob_alike(word_model: LanguageModel):
    stop = [" the", "."]
    whole = word_model.samples("the cat", 20, seed=0)
    kept = word_model.samples("the cat", 20, writing=WritingSettings(stop=stop, keep_stop=True), seed=0)
    left_out = word_model.samples("the cat", 20, writing=WritingSettings(stop=stop), seed=0)
    stopped = 0
    for before, sample, shorter in zip(whole, kept, left_out, strict=True):
        assert sample.tokens == before.tokens[: len(sample.tokens)]
        if len(shorter.tokens) < len(before.tokens):
            stopped += 1
            assert sample.tokens == [*shorter.tokens, sample.tokens[-1]]
            assert sample.tokens[-1] in ("the", ".")
            assert sample.text.endswith((" the", "."))
            ids = word_model.vocabulary.encode(["the", "cat", *sample.tokens])
            log_probs = word_model.log_probs([1, *ids])
            expected = sum(float(log_probs[t, ids[t]]) for t in range(2, len(ids)))
            assert sample.log_prob == pytest.approx(expected, abs=1e-4)
    assert stopped > 10


def test_a_word_in_which_a_kept_stop_text_ends_is_whole(word_model: LanguageModel):
    greedy = SamplingSettings(greedy=True)
    text = word_model.generate("the cat", greedy=True)
    word = word_model.samples("the cat", writing=WritingSettings(greedy))[0].tokens[0]
    assert word_model.generate("the cat", greedy=True, stop=[word[:2]], keep_stop=True) == f"the cat {word}"
    assert word_model.generate("the cat", greedy=True, stop=[word[:2]]) == "the cat"
    assert text.startswith(f"the cat {word}")


def test_min_tokens_puts_the_end_off(word_model: LanguageModel):
    assert all(
        len(s.tokens) >= 12 for s in word_model.samples("", 10, writing=WritingSettings(min_tokens=12), seed=0)
    )
    assert all(
        len(s.tokens) >= 12
        for s in word_model.writer.beam_search("", 3, writing=WritingSettings(min_tokens=12, max_tokens=14))
    )


def test_beam_search_finds_more_likely_texts_than_greedy(word_model: LanguageModel):
    [greedy] = word_model.samples("the cat", writing=WritingSettings(SamplingSettings(greedy=True)))
    best, *others = word_model.writer.beam_search("the cat", 4)
    assert best.log_prob >= greedy.log_prob
    assert len(others) == 3
    assert best.text.startswith("the cat")


@pytest.mark.parametrize("words", [True, False])
def test_what_is_banned_is_never_written(word_model: LanguageModel, char_model: LanguageModel, words: bool):
    model = word_model if words else char_model
    banned = ["cat", "the old", "sees the"] if words else ["c", "he", "d n"]
    given = [banned[0].upper(), *banned[1:]] if words else banned  # in lower case as the model's words
    hot = WritingSettings(SamplingSettings(1.3), max_tokens=60, ban=given)
    unbanned = model.samples("", 60, writing=replace(hot, ban=()), seed=0)
    assert all(any(ban in sample.text for sample in unbanned) for ban in banned)
    texts = [
        *(sample.text for sample in model.samples("", 60, writing=hot, seed=0)),
        *("".join(model.stream(writing=hot, seed=seed)) for seed in range(20)),
        *(sample.text for sample in model.writer.beam_search(width=20, writing=replace(hot, max_tokens=12))),
        model.generate(greedy=True, ban=given),
    ]
    assert not any(ban in text for ban in banned for text in texts)
    assert any("the" in text if words else "h" in text for text in texts)


def test_a_phrase_may_begin_in_the_seed_text(word_model: LanguageModel):
    [(token, _)] = word_model.writer.next_tokens("the old", 1, writing=WritingSettings())
    banned = WritingSettings(ban=[f"old {token}"])
    assert token not in dict(word_model.writer.next_tokens("the old", 1000, writing=banned))
    assert token in dict(word_model.writer.next_tokens("the", 1000, writing=banned))


def test_a_ban_means_all_tokens_that_read_as_it(word_model: LanguageModel):
    """Both quotation marks, and a word that is split only where it stands alone."""
    tokens = ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "``", "''", "mr.", "mr", "."]
    vocabulary = Vocabulary(tokens, [0] * len(tokens), word_model.vocabulary.settings)
    model = LanguageModel(make_network(len(tokens), hidden_size=3), vocabulary, word_model.config)

    def left(*ban: str) -> set[str]:
        return {token for token, _ in model.writer.next_tokens("mr", 99, writing=WritingSettings(ban=ban))}

    assert left() == set(tokens[2:])
    assert left('"') == left("``") == {"SENTENCE_END", "mr.", "mr", "."}
    assert left("Mr.") == {"SENTENCE_END", "``", "''", "mr"}
    assert model.writer.can_write('"Mr."')
    assert not model.writer.can_write("Mr. Smith")


def test_a_ban_does_not_ask_whether_a_space_stood_before(word_model: LanguageModel):
    tokens = ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "▁new", "▁york", "york", '▁"', "▁a", "\n"]
    settings = replace(word_model.vocabulary.settings, tokenizer="unicode", keep_lines=True)
    vocabulary = Vocabulary(tokens, [0] * len(tokens), settings)
    model = LanguageModel(make_network(len(tokens), hidden_size=3), vocabulary, word_model.config)

    def banned(text: str, *ban: str) -> set[str]:
        return {*tokens[2:]} - {
            token for token, _ in model.writer.next_tokens(text, 99, writing=WritingSettings(ban=ban))
        }

    assert banned("a", "York", "a") == {"▁york", "york", "▁a"}
    assert banned("a", "new york") == set()
    assert banned("a new", "new york") == {"▁york", "york"}
    assert banned("a", "\n") == {"\n"}


def test_a_ban_of_what_is_not_in_the_vocabulary_changes_nothing(word_model: LanguageModel):
    assert not word_model.writer.can_write("zebra")
    assert not word_model.writer.can_write("the zebra")
    assert word_model.writer.can_write("The")
    for ban in (["zebra"], ["the zebra"], ["SENTENCE_START"]):
        assert word_model.generate("the", seed=1, ban=ban) == word_model.generate("the", seed=1)


def test_the_unknown_token_may_be_banned_too(word_model: LanguageModel):
    tokens = ["<unk>", "<s>", "</s>", "a"]
    settings = replace(word_model.vocabulary.settings, tokenizer="whitespace")
    model = LanguageModel(make_network(4, hidden_size=3), Vocabulary(tokens, [0] * 4, settings), word_model.config)
    allowed = WritingSettings(allow_unknown=True)
    assert {token for token, _ in model.writer.next_tokens("", writing=allowed)} == {"<unk>", "</s>", "a"}
    banned = replace(allowed, ban=["<unk>"])
    assert {token for token, _ in model.writer.next_tokens("", writing=banned)} == {"</s>", "a"}


@pytest.mark.parametrize("tokenizer", ["nltk", "tweet", "whitespace", "unicode"])
def test_the_unknown_token_is_a_word_among_others(word_model: LanguageModel, tokenizer: str):
    settings = replace(word_model.vocabulary.settings, tokenizer=tokenizer)
    vocabulary = Vocabulary(["<unk>", "<s>", "</s>"], [0] * 3, settings)
    model = LanguageModel(make_network(3, hidden_size=3), vocabulary, word_model.config)
    text = model.generate("the", allow_unknown=True, min_tokens=2, max_tokens=2)
    assert text == "the <unk> <unk>"


def test_a_ban_that_leaves_nothing_to_write_is_refused_at_once(word_model: LanguageModel):
    every = word_model.vocabulary.tokens[3:]
    write: list[Callable[[WritingSettings], object]] = [
        lambda writing: word_model.samples("the", writing=writing),
        lambda writing: word_model.stream("the", writing=writing),
        lambda writing: word_model.writer.next_tokens("the", writing=writing),
        lambda writing: word_model.writer.beam_search("the", writing=writing),
    ]
    for each in write:
        with pytest.raises(RnnlmError, match="All that could be written is banned"):
            each(WritingSettings(ban=every))
        each(WritingSettings(ban=every[1:]))
    assert word_model.generate("", ban=every, allow_unknown=True, seed=1, max_tokens=1) in ("UNKNOWN_TOKEN", "")


def test_the_temperature_0_is_greedy(word_model: LanguageModel):
    assert word_model.generate("the", temperature=0, seed=3) == word_model.generate("the", greedy=True)


def test_next_tokens_are_the_most_likely_ones(word_model: LanguageModel):
    row = np.exp(word_model.log_probs([1, *word_model.vocabulary.encode(["the"])])[-1].astype(float))
    row[[0, 1]] = 0
    found = word_model.writer.next_tokens("the", 3)
    assert [token for token, _ in found] == [word_model.vocabulary.tokens[i] for i in np.argsort(-row)[:3]]
    assert [probability for _, probability in found] == pytest.approx(sorted(row)[:-4:-1], rel=1e-4)
    tokens = [token for token, _ in word_model.writer.next_tokens("the", 1000, allow_unknown=True)]
    assert set(tokens) == set(word_model.vocabulary.tokens) - {"SENTENCE_START"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_tokens": -1}, "`min_tokens` -1"),
        ({"max_tokens": -1}, "`max_tokens` -1"),
        ({"stop": ["x", ""]}, "`stop` '': give at least one character"),
        ({"stop": "."}, "`stop` needs a list"),
        ({"ban": ["x", ""]}, "`ban` '': give at least one character"),
        ({"ban": "the"}, "`ban` needs a list"),
    ],
)
def test_ways_of_writing_that_make_no_sense_are_refused(settings: dict[str, Any], message: str):
    with pytest.raises(RnnlmError, match=message):
        WritingSettings(**settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"writing": WritingSettings(min_tokens=7, max_tokens=6)}, "`min_tokens=7`: it is above `max_tokens`, 6"),
        ({"writing": WritingSettings(min_tokens=101)}, "`min_tokens=101`: it is above `max_tokens`, 100"),
        ({"seed": -1}, "`seed` -1"),
        ({"writing": WritingSettings(ban=[" "])}, "`ban` ' ': there is no word in it"),
    ],
)
def test_a_stream_refuses_at_once_what_makes_no_sense(
    word_model: LanguageModel, arguments: dict[str, Any], message: str
):
    with pytest.raises(RnnlmError, match=message):
        word_model.stream("the", **arguments)
    with pytest.raises(RnnlmError, match=message):
        word_model.samples("the", **arguments)


def test_a_model_that_overflows_writes_nothing(word_run: Path):
    model = LanguageModel.load(word_run)
    model.network.parameters["output.weight"][...] = np.inf
    writer = model.writer
    for write in (model.generate, writer.next_tokens, writer.beam_search, lambda text: list(model.stream(text))):
        with pytest.raises(RnnlmError, match="its probabilities are not finite numbers"):
            write("the")
