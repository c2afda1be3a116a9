"""Which part of a dataset each sentence goes to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.vocabulary import Vocabulary
from tests.dataset.building.datasets import LETTERS, WORDS, sentences, write


def test_splits_by_document_have_exact_sizes_and_keep_order(tmp_path):
    lines = [f"w{index:03d}" for index in range(200)]
    file = write(tmp_path / "a.txt", "\n".join(lines))

    def build(seed: int) -> list[list[str]]:
        result = build_dataset(
            [file],
            tmp_path / "out",
            text=LETTERS,
            reader=ReaderSettings(documents="line"),
            division=DivisionSettings(valid_fraction=0.1, test_fraction=0.05, seed=seed),
            overwrite=True,
        )
        dataset = Dataset.open(result.path)
        return [["".join(s) for s in sentences(dataset, name)] for name in ("train", "valid", "test")]

    parts = build(0)
    assert [len(part) for part in parts] == [170, 20, 10]
    assert sorted(line for part in parts for line in part) == lines
    assert all(part == sorted(part) for part in parts)
    assert parts == build(0) != build(1)


@pytest.mark.parametrize("documents", [3, 4, 10])
def test_every_wanted_split_gets_a_document(tmp_path, documents):
    file = write(tmp_path / "a.txt", "word\n" * documents)
    result = build_dataset([file], tmp_path / "out", text=WORDS)
    assert [result.splits[name].sentences for name in ("valid", "test")] == [1, 1]
    assert result.splits["train"].sentences == documents - 2


def test_one_document_is_divided_by_position_between_tokens(tmp_path):
    text = "".join(chr(97 + index % 26) for index in range(1000))
    result = build_dataset(
        [write(tmp_path / "a.txt", text)],
        tmp_path / "out",
        text=LETTERS,
        reader=ReaderSettings(documents="file"),
    )
    dataset = Dataset.open(result.path)
    parts = ["".join(sentences(dataset, name)[0]) for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [900, 50, 50]
    assert "".join(parts) == text
    assert [result.splits[name].characters for name in ("train", "valid", "test")] == [901, 51, 51]


def test_one_document_of_sentences_is_divided_at_sentence_ends(tmp_path):
    text = "This is a sentence. " * 100
    result = build_dataset(
        [write(tmp_path / "a.txt", text)],
        tmp_path / "out",
        text=TextSettings(sentences=True),
        division=DivisionSettings(valid_fraction=0.1, test_fraction=0.001),
    )
    assert [part.sentences for part in result.splits.values()] == [89, 10, 1]
    assert result.documents == 1


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.text("ab \n", min_size=1, max_size=12), min_size=3, max_size=12),
    fractions=st.sampled_from([(0, 0), (0.05, 0.05), (0.5, 0), (0, 0.4), (0.3, 0.7), (0, 1)]),
    documents=st.sampled_from(["line", "file"]),
)
def test_the_splits_hold_every_token(tmp_path_factory, lines, fractions, documents):
    directory = tmp_path_factory.mktemp("split")
    text = "x".join(lines)
    vocabulary = Vocabulary(["?", "<", ">", "a", "b", "x", " ", "\n"], [0] * 8, LETTERS)
    result = build_dataset(
        [write(directory / "a.txt", text)],
        directory / "out",
        reader=ReaderSettings(documents=documents),
        vocabulary=vocabulary,
        division=DivisionSettings(None, None, *fractions),
    )
    dataset = Dataset.open(result.path)
    tokens = [token for name in result.splits for sentence in sentences(dataset, name) for token in sentence]
    assert sorted(tokens) == sorted(text.replace("\n", "") if documents == "line" else text)
    assert result.total.characters == len(tokens) + result.total.sentences


def test_too_little_to_divide(tmp_path):
    with pytest.raises(RnnlmError, match=r"1 token, too few to divide in 3"):
        build_dataset([write(tmp_path / "a.txt", "word")], tmp_path / "out", text=WORDS)
