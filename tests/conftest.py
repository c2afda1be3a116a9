"""Tiny datasets and trained runs that many tests read and none changes."""

import dataclasses
import os
import random
import re
import shutil
import textwrap
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import yaml

from rnnlm import backend
from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.building.series import SeriesSettings, build_series
from rnnlm.dataset.store import Dataset
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.training.begin import begin_run
from tests import environment
from tests.faults import Faults

# The same examples every time, and no time limit: the machine may be slow or busy.
hypothesis.settings.register_profile("rnnlm", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("rnnlm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--may-skip", metavar="PATTERN", help="fail where a test is skipped for another reason")


def pytest_configure(config: pytest.Config) -> None:
    # The order of the tests changes, what they draw does not.
    config.option.randomly_reset_seed = False


def fail_if_skipped(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a failure of a test or a module that is skipped for a reason that --may-skip does not allow."""
    pattern = config.getoption("--may-skip")
    if pattern is not None and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if not re.search(pattern, reason):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: skipped, and must not be: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fail_if_skipped(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_if_skipped(collector.config, report)
    return report


def words_of(value: object) -> str:
    """Write a parameter of a test as one would on a command line: "model.cell=lstm bias", "--level char"."""
    if isinstance(value, dict):
        sections = {key: inner for key, inner in value.items() if isinstance(inner, dict)}
        flat = {f"{key}.{name}": item for key, inner in sections.items() for name, item in inner.items()}
        settings = {key: item for key, item in value.items() if key not in sections} | flat
        return " ".join(str(key) if item is True else f"{key}={words_of(item)}" for key, item in settings.items())
    if dataclasses.is_dataclass(value):
        defaults = {field.name: field.default for field in dataclasses.fields(value)}
        return words_of({name: item for name, item in vars(value).items() if item != defaults[name]})
    if isinstance(value, list | tuple | set | np.ndarray):
        return " ".join(map(words_of, value))
    if isinstance(value, str | int | float | Path | None):
        return str(value)
    return str(getattr(value, "__name__", type(value).__name__))  # and no address, which differs by process


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    if isinstance(val, bytes):  # they may hold the time at which they were made, and name the test anew every time
        return argname
    if not isinstance(val, str) or len(val) > 60:
        name = textwrap.shorten(words_of(val), 60, placeholder="...")
        return name.encode("unicode_escape").decode() or f"no {argname}"
    return None


def pytest_sessionstart(session: pytest.Session) -> None:
    # A process that only gives out the tests leaves its variables to those that run them: NumPy reads some.
    if session.config.getoption("dist", "no") == "no":
        environment.fix()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    # Nothing is left of what a test before has changed.
    environment.fix()


@pytest.fixture(params=["numpy", "compiled"])
def back_end(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Compute with each back end in turn, here and in the processes that are started."""
    if request.param == "compiled" and not backend.available():
        pytest.skip("the compiled passes are not built")
    monkeypatch.setenv(backend.VARIABLE, request.param)
    backend.choose("auto")
    return str(request.param)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Make the disk one that fails when told to."""
    return Faults(monkeypatch)


def _sentences() -> list[str]:
    """Return sixty short sentences; every sixth has a name in it that stands nowhere else."""
    rng = random.Random(0)
    sentences = []
    for number in range(60):
        animal, other = rng.sample(["cat", "dog", "hen", "cow", "fox", "owl"], 2)
        verb = rng.choice(["sees", "likes", "hears", "doesn't like"])
        place = rng.choice([" in the barn", " by the river", " at night", ""])
        name = f"Name{number}" if number % 6 == 0 else f"the old {other}"
        sentences.append(f"The {animal} {verb} {name}{place}.")
    return sentences


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    return _sentences()


@pytest.fixture(scope="session")
def word_dataset(tmp_path_factory: pytest.TempPathFactory, sentences: list[str]) -> Path:
    directory = tmp_path_factory.mktemp("words")
    (directory / "text.txt").write_text("\n".join(sentences))
    build_dataset(
        [str(directory / "text.txt")],
        directory / "dataset",
        text=TextSettings(tokenizer="nltk", lowercase=True),
        vocabulary=VocabularySettings(min_count=2),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0.2),
    )
    return directory / "dataset"


@pytest.fixture(scope="session")
def char_dataset(tmp_path_factory: pytest.TempPathFactory, sentences: list[str]) -> Path:
    directory = tmp_path_factory.mktemp("characters")
    (directory / "text.txt").write_text("\n".join(sentences))
    build_dataset(
        [str(directory / "text.txt")],
        directory / "dataset",
        reader=ReaderSettings(documents="file"),
        text=TextSettings(tokenizer="characters", lowercase=False),
        division=DivisionSettings(valid_fraction=0.1, test_fraction=0.1),
    )
    return directory / "dataset"


def train_run(directory: Path, values: dict[str, dict[str, object]], *then: str) -> Path:
    """Write a configuration and train it, then go on with changes to it, if any; return the run."""
    (directory / "config.yaml").write_text(yaml.safe_dump(values))
    for overrides in ((), then) if then else ((),):
        config = Config.load(directory / "config.yaml", overrides)
        begin_run(config, directory / "run", resume=bool(overrides), quiet=True).run()
    return directory / "run"


@pytest.fixture(scope="session")
def word_run(tmp_path_factory: pytest.TempPathFactory, word_dataset: Path) -> Path:
    """Train on sentences, with one-hot input; spoil the last epoch, so that the best is not the last."""
    values: dict[str, dict[str, object]] = {
        "data": {"path": str(word_dataset)},
        "model": {"hidden_size": 12},
        "training": {"batch_size": 4, "epochs": 4, "sample_tokens": 3, "log_every": 5, "seed": 3},
        "optimizer": {"learning_rate": 0.1, "clip_norm": 5.0},
        "schedule": {"name": "constant"},
    }
    spoil = ("training.epochs=5", "optimizer.learning_rate=5")
    return train_run(tmp_path_factory.mktemp("word-run"), values, *spoil)


@pytest.fixture(scope="session")
def char_run(tmp_path_factory: pytest.TempPathFactory, char_dataset: Path) -> Path:
    """Train on a stream, with embeddings, biases and two layers."""
    values: dict[str, dict[str, object]] = {
        "data": {"path": str(char_dataset)},
        "model": {"embedding_size": 8, "hidden_size": 16, "num_layers": 2, "bias": True},
        "training": {"batching": "stream", "batch_size": 4, "bptt_steps": 20, "epochs": 3, "sample_tokens": 3},
        "optimizer": {"name": "adam", "learning_rate": 0.01},
    }
    return train_run(tmp_path_factory.mktemp("char-run"), values)


@pytest.fixture(scope="session")
def word_data(word_dataset: Path) -> Dataset:
    return Dataset.open(word_dataset)


@pytest.fixture(scope="session")
def word_model(word_run: Path) -> LanguageModel:
    return LanguageModel.load(word_run)


@pytest.fixture(scope="session")
def char_model(char_run: Path) -> LanguageModel:
    return LanguageModel.load(char_run)


KINDS = {"animal": ["cat", "dog", "hen", "cow"], "plant": ["oak", "elm", "fern"], "stone": ["slate", "flint"]}


def labelled_rows(number: int, seed: int) -> list[tuple[str, str]]:
    """Return labels and short texts, each of which has a word of its label somewhere."""
    rng = random.Random(seed)
    rows = []
    for _ in range(number):
        label = rng.choices(list(KINDS), [5, 3, 2])[0]
        words = rng.choices(["there", "is", "a", "very", "old"], k=rng.randint(1, 6))
        words.insert(rng.randint(0, len(words)), rng.choice(KINDS[label]))
        rows.append((label, " ".join(words)))
    return rows


@pytest.fixture(scope="session")
def label_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts whose label one of their words tells."""
    directory = tmp_path_factory.mktemp("labelled")
    lines = ["kind,text", *(",".join(row) for row in labelled_rows(300, 0))]
    (directory / "texts.csv").write_text("\n".join(lines))
    build_dataset(
        [str(directory / "texts.csv")],
        directory / "dataset",
        reader=ReaderSettings(label_column="kind"),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0.2),
    )
    return directory / "dataset"


@pytest.fixture(scope="session")
def label_run(tmp_path_factory: pytest.TempPathFactory, label_dataset: Path) -> Path:
    """Train a classifier that learns all there is to learn."""
    values: dict[str, dict[str, object]] = {
        "task": {"name": "classify"},
        "data": {"path": str(label_dataset)},
        "model": {"cell": "gru", "embedding_size": 8, "hidden_size": 8, "bidirectional": True, "bias": True},
        "training": {"batch_size": 4, "epochs": 4, "log_every": 5},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "constant"},
    }
    return train_run(tmp_path_factory.mktemp("label-run"), values)


def monthly_rows(number: int, seed: int) -> list[tuple[str, float]]:
    """Return months and numbers that rise, with a season and an autoregressive rest."""
    rng, rest, rows = np.random.default_rng(seed), 0.0, []
    for k in range(number):
        rest = 0.6 * rest + 0.05 * float(rng.normal())
        value = float(np.exp(3 + 0.01 * k + 0.3 * np.sin(2 * np.pi * k / 12) + rest))
        rows.append((f"{2000 + k // 12}-{k % 12 + 1:02}", round(value, 3)))
    return rows


def write_series(path: Path, rows: Iterable[Iterable[object]], head: str = "month,sold") -> Path:
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.fixture(scope="session")
def series_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten years of months, the last two for the test and one before for validation."""
    directory = tmp_path_factory.mktemp("series")
    file = write_series(directory / "sales.csv", monthly_rows(120, 0))
    build_series(str(file), directory / "dataset", settings=SeriesSettings(valid_rows=12, test_rows=24))
    return directory / "dataset"


@pytest.fixture(scope="session")
def series_run(tmp_path_factory: pytest.TempPathFactory, series_dataset: Path) -> Path:
    """Train a forecaster that reads the month too."""
    values: dict[str, dict[str, object]] = {
        "task": {"name": "forecast", "log": True, "differences": [1], "calendar": ["month"]},
        "data": {"path": str(series_dataset)},
        "model": {"cell": "gru", "hidden_size": 6, "bias": True},
        "training": {"epochs": 20, "evaluate_every": 5, "log_every": 5, "bptt_steps": 40},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "constant"},
    }
    return train_run(tmp_path_factory.mktemp("series-run"), values)


WORD_CLASSES = {
    "DET": ["The", "the", "a"],
    "ADJ": ["old", "small", "very-old"],
    "NOUN": ["cat", "dogs", "owl", "Name"],
    "VERB": ["sees", "likes", "hears"],
}


def tagged_sentences(number: int, seed: int) -> list[list[tuple[str, str]]]:
    """Return short sentences of words with the tag of each; some nouns are written with a number."""
    rng = random.Random(seed)
    orders = [["DET", "NOUN", "VERB"], ["DET", "ADJ", "NOUN", "VERB", "DET", "NOUN"], ["NOUN", "VERB", "NOUN"]]
    sentences = []
    for _ in range(number):
        words = [(rng.choice(WORD_CLASSES[tag]), tag) for tag in rng.choice(orders)]
        sentences.append([(f"{word}{rng.randrange(99)}" if word == "Name" else word, tag) for word, tag in words])
    return sentences


@pytest.fixture(scope="session")
def tag_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences whose tags the words tell, and of rare words the characters."""
    directory = tmp_path_factory.mktemp("tagged")
    sentences = ("".join(f"{word}\t{tag}\n" for word, tag in words) for words in tagged_sentences(200, 0))
    (directory / "text.tsv").write_text("\n".join(sentences))
    build_dataset(
        [str(directory / "text.tsv")],
        directory / "dataset",
        reader=ReaderSettings(format="tagged"),
        vocabulary=VocabularySettings(min_count=2),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0.2),
    )
    return directory / "dataset"


@pytest.fixture(scope="session")
def tag_run(tmp_path_factory: pytest.TempPathFactory, tag_dataset: Path) -> Path:
    """Train a tagger that reads characters."""
    values: dict[str, dict[str, object]] = {
        "task": {"name": "tag"},
        "data": {"path": str(tag_dataset)},
        "model": {
            **{"cell": "lstm", "embedding_size": 6, "character_size": 4, "hidden_size": 6},
            **{"bidirectional": True, "bias": True},
        },
        "training": {"batch_size": 4, "epochs": 4, "log_every": 5},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "constant"},
    }
    return train_run(tmp_path_factory.mktemp("tag-run"), values)


@pytest.fixture(scope="session")
def pair_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbers in words, each with its translation: the words of another language in reverse."""
    directory, rng = tmp_path_factory.mktemp("pairs"), random.Random(0)
    translation = {"eins": "one", "zwei": "two", "drei": "three", "vier": "four", "sechs": "six"}
    sources = (rng.choices(list(translation), k=rng.randint(1, 5)) for _ in range(200))
    lines = (f"{' '.join(words)}\t{' '.join(map(translation.get, words[::-1]))}\n" for words in sources)
    (directory / "text.tsv").write_text("".join(lines))
    build_dataset(
        [str(directory / "text.tsv")],
        directory / "dataset",
        reader=ReaderSettings(format="pairs"),
        division=DivisionSettings(valid_fraction=0.2, test_fraction=0.2),
    )
    return directory / "dataset"


@pytest.fixture(scope="session")
def translator_run(tmp_path_factory: pytest.TempPathFactory, pair_dataset: Path) -> Path:
    """Train a translator that looks at the source."""
    values: dict[str, dict[str, object]] = {
        "task": {"name": "translate", "attention": "additive"},
        "data": {"path": str(pair_dataset)},
        "model": {"cell": "gru", "embedding_size": 8, "hidden_size": 12, "bidirectional": True, "bias": True},
        "training": {"batch_size": 4, "epochs": 3, "log_every": 5, "sample_tokens": 3},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "constant"},
    }
    return train_run(tmp_path_factory.mktemp("translator-run"), values)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser for the pages, where there is one."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed")
    # Chromium refuses to put root into its sandbox.
    sandbox = not (hasattr(os, "geteuid") and os.geteuid() == 0)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=sandbox)
        yield browser
        browser.close()
