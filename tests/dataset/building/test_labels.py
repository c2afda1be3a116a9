"""Datasets of texts with labels."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.dataset.building import spool
from rnnlm.dataset.building.build import BuildResult, build_dataset
from rnnlm.dataset.building.crew import Crew
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.building.text_split import text_split
from rnnlm.dataset.store import SPLITS, Dataset, Split
from rnnlm.dataset.write_text import write_text
from rnnlm.errors import RnnlmError
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.vocabulary import Vocabulary
from tests.dataset.building.datasets import ALL_TRAIN, WORDS, files_of

Rows = list[tuple[str, str]]


def write_rows(path: Path, rows: Rows) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("label", "text"), *rows])
    return str(path)


def build(directory: Path, rows: Rows, column: str | None = "label", **options: Any) -> BuildResult:
    file = write_rows(directory / "a.csv", rows)
    reader = ReaderSettings(label_column=column, text_column="text")
    defaults: dict[str, Any] = {"text": WORDS, "division": ALL_TRAIN, "overwrite": True}
    return build_dataset([file], directory / "out", reader=reader, **{**defaults, **options})


def labels_of(split: Split, vocabulary: Vocabulary) -> list[str | None]:
    """Return the label of each sentence; None where it begins with plain START."""
    names = {vocabulary.label_start(label): label for label in vocabulary.labels}
    names[vocabulary.start_id] = None
    return [names[int(split.ids[begin])] for begin in split.offsets[:-1].tolist()]


def test_a_text_begins_with_the_start_of_its_label(tmp_path):
    result = build(tmp_path, [("b", "one two"), ("c", "two"), ("a", "one"), ("b", "one")])
    vocabulary = result.vocabulary
    assert vocabulary.tokens[3:] == ["one", "two", "SENTENCE_START:b", "SENTENCE_START:a", "SENTENCE_START:c"]
    assert (vocabulary.labels, vocabulary.first_label_id) == (["b", "a", "c"], 5)
    assert result.labels == {"b": 2, "a": 1, "c": 1}
    assert Dataset.open(tmp_path / "out").train.ids.tolist() == [5, 3, 4, 2, 7, 4, 2, 6, 3, 2, 5, 3, 2]
    assert Dataset.open(tmp_path / "out").vocabulary == vocabulary


texts = st.text("ab ", min_size=1, max_size=8).filter(lambda text: text.strip())
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
rows_of_any_label = st.lists(st.tuples(names.filter(lambda name: name.strip()), texts), min_size=1, max_size=20)


@given(rows=rows_of_any_label)
@settings(max_examples=40)
def test_labels_come_back(tmp_path_factory, rows):
    result = build(tmp_path_factory.mktemp("labels"), rows)
    dataset = Dataset.open(result.path)
    expected = [" ".join(label.split()) for label, _ in rows]
    assert labels_of(dataset.train, dataset.vocabulary) == expected
    counts = Counter(expected)
    assert dataset.vocabulary.labels == sorted(counts, key=lambda label: (-counts[label], label))


def test_texts_with_labels_are_not_split_into_sentences(tmp_path):
    rows = [("a", "It rains. It pours.")]
    by_default = build(tmp_path, rows, text=None)
    assert by_default.splits["train"].sentences == 1
    assert build(tmp_path, rows, None, text=None).splits["train"].sentences == 2


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    seed=st.integers(0, 9),
    valid=st.sampled_from([0.05, 0.1, 0.3]),
)
@settings(max_examples=25)
def test_every_part_has_its_share_of_every_label(tmp_path_factory, sizes, seed, valid):
    rows = [(f"l{k}", "one two") for k, size in enumerate(sizes) for _ in range(size)]
    np.random.default_rng(seed).shuffle(rows)
    division = DivisionSettings(valid_fraction=valid, test_fraction=0.1, seed=seed)
    directory = tmp_path_factory.mktemp("shares")
    if len(rows) < 10:
        return
    plain = build(directory, rows, None, division=division)
    labelled = build(directory, rows, division=division)
    texts = {name: labelled.splits[name].sentences for name in SPLITS}
    wanted = {name: plain.splits[name].sentences for name in SPLITS}
    if min(sizes) > 3:
        assert texts == wanted
    if sum(sizes) - len(sizes) <= wanted["valid"]:
        return  # too few to give one to the test without taking a label from training
    dataset = Dataset.open(labelled.path)
    for name, tolerance in (("train", 2), ("valid", 1), ("test", 1)):
        counts = Counter(labels_of(dataset.split(name), dataset.vocabulary))
        for k, size in enumerate(sizes):
            # Training takes what two other parts leave.
            assert abs(counts[f"l{k}"] - size * wanted[name] / len(rows)) < tolerance
    assert set(labels_of(dataset.train, dataset.vocabulary)) == {f"l{k}" for k in range(len(sizes))}


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([40, *[1] * 8], [26, 11, 11]),  # 24, 12 and 12 without labels
        ([1] * 8, [6, 1, 1]),
        ([2, *[1] * 6], [6, 1, 1]),
        ([0, 1, 1, 1], [1, 1, 1]),
    ],
)
def test_a_label_with_one_text_has_it_to_train_on(tmp_path, sizes, parts):
    rows = [(f"l{k}", "one two") for k, size in enumerate(sizes) for _ in range(size)]
    division = DivisionSettings(valid_fraction=0.25, test_fraction=0.25)
    result = build(tmp_path, rows, division=division)
    assert [part.sentences for part in result.splits.values()] == parts
    if sizes[0] > 1:
        assert result.labels["l0"] > 0


def test_any_number_of_workers_makes_the_same_dataset(tmp_path):
    rows = [(f"l{k % 7}", f"word{k % 11} and more") for k in range(6000)]
    one = files_of(build(tmp_path, rows, crew=Crew(1)).path)
    assert files_of(build(tmp_path, rows, crew=Crew(2)).path) == one


def test_labels_that_are_not_in_the_training_text(tmp_path):
    valid = write_rows(tmp_path / "valid.csv", [("b", "one"), ("new", "one"), ("other", "one"), ("new", "two")])
    division = DivisionSettings(valid, test_fraction=0)
    result = build(tmp_path, [("a", "one"), ("b", "two")], division=division)
    assert result.unseen_labels == {"valid": (3, ["new", "other"])}
    assert labels_of(Dataset.open(result.path).valid, result.vocabulary) == ["b", None, None, None]


def test_ten_thousand_labels(tmp_path):
    result = build(tmp_path, [(f"label {k}", "one two") for k in range(10_000)])
    assert len(result.vocabulary.labels) == 10_000
    assert labels_of(Dataset.open(result.path).train, result.vocabulary)[9_999] == "label 9999"


def test_a_column_of_texts_holds_no_labels(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_LABELS", 10)
    assert len(build(tmp_path, [(str(k), "one") for k in range(10)]).vocabulary.labels) == 10
    with pytest.raises(RnnlmError, match=r"more than 10 different labels, such as '10'; .*`label_column`"):
        build(tmp_path, [(str(k), "one") for k in range(11)])


def test_a_word_that_is_named_like_a_label(tmp_path):
    rows = [("x", "one SENTENCE_START:x"), ("y", "two")]
    with pytest.raises(RnnlmError, match=r"The word 'SENTENCE_START:x' .*`start_token`"):
        build(tmp_path, rows)
    kept = build(tmp_path, [*rows[1:], ("x", "one")]).vocabulary
    ids = kept.encode(["one", "SENTENCE_START:x", "SENTENCE_START"])
    assert ids == [kept.find("one"), kept.unknown_id, kept.unknown_id]
    result = build(tmp_path, rows, vocabulary=kept)
    assert result.splits["train"].unknown_tokens == 1


def test_a_vocabulary_with_labels_is_reused(tmp_path):
    kept = build(tmp_path, [("a", "one"), ("b", "two"), ("b", "two")]).vocabulary
    result = build(tmp_path, [("c", "one"), ("a", "one")], vocabulary=kept)
    assert result.vocabulary == kept
    assert labels_of(Dataset.open(result.path).train, kept) == [None, "a"]
    extended = build(
        tmp_path, [("c", "one"), ("a", "four")], vocabulary=VocabularySettings(extends=kept)
    ).vocabulary
    assert extended.tokens[: extended.first_label_id] == [*kept.tokens[: kept.first_label_id], "four"]
    assert extended.labels == ["a", "c"]
    plain = build(tmp_path, [("c", "one")], None).vocabulary
    assert build(tmp_path, [("c", "one")], vocabulary=plain).vocabulary.labels == ["c"]


def test_a_text_is_measured_with_its_labels(tmp_path):
    kept = build(tmp_path, [("a", "one"), ("b", "two")]).vocabulary
    plain = build(tmp_path, [("a", "one")], None).vocabulary
    file, report = tmp_path / "a.csv", ReadReport()
    with text_split(file, kept, ReaderSettings(label_column="label"), report) as part:
        assert labels_of(part, kept) == ["a"]
    with pytest.raises(RnnlmError, match=r"texts have labels; .*`label_column`"), text_split(file, kept):
        pass
    with (
        pytest.raises(RnnlmError, match="the model has no labels; leave it out"),
        text_split(file, plain, ReaderSettings(label_column="label")),
    ):
        pass


def test_the_start_of_a_label_is_not_written(tmp_path):
    build(tmp_path, [("a", "one two"), ("b", "two")])
    write_text(Dataset.open(tmp_path / "out"), tmp_path / "text")
    assert (tmp_path / "text" / "train.txt").read_text() == "one two\ntwo\n"
