from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models import tagger
from rnnlm.models.tagger import Tagger
from rnnlm.text.readers import ReaderSettings
from rnnlm.training.begin import begin_run


def train(directory: Path, config: dict[str, dict[str, object]]) -> Tagger:
    begin_run(Config.model_validate(config), directory, resume=False, quiet=True).run()
    return Tagger.load(directory)


@pytest.fixture(scope="session")
def data(tag_dataset: Path) -> Dataset:
    return Dataset.open(tag_dataset)


@pytest.fixture(scope="session")
def model(tag_run: Path) -> Tagger:
    return Tagger.load(tag_run)


def stored_sentences(data: Dataset) -> list[list[str]]:
    """Return the words of the test part as they are written."""
    split = data.test
    assert split.words is not None
    assert split.spellings is not None
    return [
        [split.words[k] for k in split.spellings[int(start) + 1 : int(stop) - 1]]
        for start, stop in zip(split.offsets[:-1], split.offsets[1:], strict=True)
    ]


def test_predicting_is_evaluating(model: Tagger, data: Dataset):
    sentences = stored_sentences(data)
    answers = list(model.predict(" ".join(words) for words in sentences))
    assert [answer.tokens for answer in answers] == sentences
    assert data.test.tags is not None
    assert data.tags is not None
    true = [data.tags.names[tag - 1] for tag in data.test.tags[data.test.tags > 0]]
    found = [tag for answer in answers for tag in answer.tags]
    right = np.mean([one == other for one, other in zip(true, found, strict=True)])
    assert model.evaluate(data.test).measures()["accuracy"] == pytest.approx(right)


def test_answers_do_not_depend_on_the_texts_beside(model: Tagger, data: Dataset):
    texts = [" ".join(words) for words in stored_sentences(data)[:5]]
    together = list(model.predict([*texts, "", "a " * 70]))
    assert together[:5] == [next(model.predict([text])) for text in texts]
    assert (together[5].tokens, together[5].tags, str(together[5])) == ([], [], "")


def test_a_long_text_is_tagged_in_parts(model: Tagger, monkeypatch: pytest.MonkeyPatch):
    [whole] = model.predict(["the dog runs"] * 1)
    monkeypatch.setattr(tagger, "LONGEST_WINDOW", 3)
    [answer] = model.predict([" ".join(["the dog runs"] * 4)])
    assert answer.tags == whole.tags * 4


def test_words_that_were_never_seen_are_known_by_their_characters(tmp_path: Path):
    """A tag is in the last letter of a word alone, and no word of the test stands in the training text."""
    rng = np.random.default_rng(0)
    lines = []
    for _ in range(150):
        for _ in range(4):
            stem = "".join(rng.choice(list("bcdfgklm"), 5))
            lines.append(f"{stem}{'a' if rng.random() < 0.5 else 'o'}")
        lines.append("")
    text = "\n".join(f"{word}\t{word[-1].upper()}" if word else "" for word in lines)
    (tmp_path / "words.txt").write_text(text)
    build_dataset(
        [str(tmp_path / "words.txt")],
        tmp_path / "data",
        reader=ReaderSettings(format="tagged"),
        vocabulary=VocabularySettings(min_count=2),
        division=DivisionSettings(valid_fraction=0, test_fraction=0.2),
    )
    config: dict[str, dict[str, object]] = {
        "task": {"name": "tag"},
        "data": {"path": str(tmp_path / "data")},
        "model": {"cell": "gru", "embedding_size": 4, "hidden_size": 8, "bias": True},
        "training": {"batch_size": 4, "epochs": 3},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
    }
    test = Dataset.open(tmp_path / "data").test
    assert train(tmp_path / "blind", config).evaluate(test).measures()["accuracy"] < 0.7
    config["model"]["character_size"] = 6
    spelled = train(tmp_path / "spelled", config)
    assert spelled.evaluate(test).measures()["accuracy"] > 0.98
    assert [answer.tags for answer in spelled.predict(["zzza zzzo"])] == [["A", "O"]]


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    """A model that knows the words ab, c and def."""
    directory = tmp_path_factory.mktemp("segmented")
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(["ab", "c", "def"], rng.integers(1, 8))) for _ in range(200)]
    (directory / "words.txt").write_text("\n".join(lines))
    build_dataset([str(directory / "words.txt")], directory / "data", reader=ReaderSettings(format="segmented"))
    config: dict[str, dict[str, object]] = {
        "task": {"name": "tag"},
        "data": {"path": str(directory / "data")},
        "model": {"cell": "gru", "embedding_size": 8, "hidden_size": 8, "bidirectional": True},
        "training": {"batch_size": 4, "epochs": 5},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
    }
    return train(directory / "run", config)


def test_segmented_text_is_answered_with_spaces(segmenter: Tagger):
    assert [str(answer) for answer in segmenter.predict(["abcdef", "ccab", ""])] == ["ab c def", "c c ab", ""]


def test_a_space_ends_a_word_in_any_case(segmenter: Tagger):
    [answer] = segmenter.predict(["d ef c\tab"])
    assert str(answer) == "d ef c ab"
    assert answer.tokens == list("defcab")


def test_a_segmented_split_is_measured_by_its_words(segmenter: Tagger):
    assert segmenter.config.data.path is not None
    split = Dataset.open(segmenter.config.data.path).test
    measures = segmenter.evaluate(split).measures()
    assert (next(iter(measures)), measures["f1"], measures["accuracy"]) == ("f1", 1, 1)
    shown = {segmenter.preview(split, np.random.default_rng(seed), 4) for seed in range(10)}
    assert len(shown) > 3
    assert all(set(text) <= set("abcdef ") for text in shown)
    unknown = replace(split, ids=np.where(split.ids >= 3, 0, split.ids))
    assert set(segmenter.preview(unknown, np.random.default_rng(0), 4)) <= set("\ufffd ")


def test_a_tag_that_the_model_does_not_know_is_an_error(model: Tagger, data: Dataset):
    assert data.test.tags is not None
    before = model.evaluate(data.test)
    tags = np.array(data.test.tags)
    words = np.flatnonzero(data.test.ids >= 3)[:5]
    tags[words] = 0
    after = model.evaluate(replace(data.test, tags=tags))
    assert (after.counts.total, after.counts.unseen) == (before.counts.total, 5)
    assert after.counts.accuracy <= before.counts.accuracy


def test_a_preview_shows_words_as_they_are_written(model: Tagger, data: Dataset):
    shown = model.preview(data.valid, np.random.default_rng(0), 3)
    assert 1 <= len(shown.split()) <= 3
    assert all("/" in word for word in shown.split())
    assert "UNKNOWN_TOKEN" not in shown


def test_what_does_not_fit_is_refused(word_data: Dataset, tag_run: Path, segmenter: Tagger):
    config = Config.model_validate({"task": {"name": "tag"}})
    with pytest.raises(RnnlmError, match="its tokens have no tags; preprocess text that has"):
        Tagger.create(config, word_data)
    assert segmenter.config.data.path is not None
    spelled = Config.model_validate({"task": {"name": "tag"}, "model": {"embedding_size": 3, "character_size": 3}})
    with pytest.raises(RnnlmError, match=r"characters, which are not spelled; leave model\.character_size out"):
        Tagger.create(spelled, Dataset.open(segmenter.config.data.path))
    assert isinstance(rnnlm.load(tag_run), Tagger)
