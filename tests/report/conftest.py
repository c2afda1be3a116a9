"""Runs whose logs a test makes up, and a server of their page."""

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rnnlm.report.runlog import RunLog, read_runs
from rnnlm.report.server import PageServer

Line = dict[str, Any]
MakeRun = Callable[..., Path]


def line(step: int, split: str = "train", **values: Any) -> Line:
    """Return a line of ``metrics.jsonl`` in which every value is another one."""
    defaults = {
        "epoch": step / 100,
        "tokens": 10 * step,
        "loss": 2.0,
        "perplexity": 8.0,
        "learning_rate": 0.5,
        "grad_norm": 3.0,
        "tokens_per_second": 40.0,
        "seconds": step / 4,
    }
    return {"step": step, "split": split, **defaults, **values}


@contextmanager
def serving(server: PageServer) -> Iterator[PageServer]:
    """Serve a page within a ``with`` block."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def make_run(word_run: Path, tmp_path: Path) -> MakeRun:
    """Return a function that makes a run with some lines and samples in its logs, a copy `of` another run."""

    def make(name: str, lines: Iterable[Line], samples: Iterable[Line] = (), of: Path = word_run) -> Path:
        directory = tmp_path / name
        shutil.copytree(of, directory)
        for log, values in (("metrics", lines), ("samples", samples)):
            (directory / f"{log}.jsonl").write_text("".join(json.dumps(value) + "\n" for value in values))
        return directory

    return make


@pytest.fixture
def short_run(make_run: MakeRun) -> RunLog:
    """Training measured at steps 10 to 40, validation at 20 and 40, where it is worse again."""
    lines = [
        line(10, loss=4.0, perplexity=54.6),
        line(20, loss=3.0, perplexity=20.1),
        line(20, "valid", loss=2.5, perplexity=12.2),
        line(30, loss=2.0, perplexity=7.4),
        line(40, loss=1.5, perplexity=4.5),
        line(40, "valid", loss=3.0, perplexity=20.1),
    ]
    [run] = read_runs([make_run("short", lines, [{"step": 20, "text": "hello"}, {"step": 40, "text": "a\nb"}])])
    return run


@pytest.fixture
def classifier_run(make_run: MakeRun, label_run: Path) -> RunLog:
    """A classifier whose accuracy is best at step 20, where its loss is not."""
    lines = [
        line(10, loss=1.0, perplexity=2.7),
        line(10, "valid", loss=0.9, perplexity=2.5, accuracy=0.5, macro_f1=0.625),
        line(20, loss=0.5, perplexity=1.6),
        line(20, "valid", loss=0.8, perplexity=2.2, accuracy=0.8125, macro_f1=0.75),
        line(30, "valid", loss=0.7, perplexity=2.0, accuracy=0.75, macro_f1=0.875),
    ]
    [run] = read_runs([make_run("labels", lines, [{"step": 20, "text": "an old oak -> plant (0.90)"}], label_run)])
    return run


@pytest.fixture
def translated_run(make_run: MakeRun, translator_run: Path) -> RunLog:
    """A translator, measured once."""
    lines = [line(10), line(10, "valid", loss=1.5, perplexity=4.5)]
    [run] = read_runs([make_run("pairs", lines, [{"step": 10, "text": "eins -> one"}], translator_run)])
    return run


@pytest.fixture
def tagger_run(make_run: MakeRun) -> RunLog:
    """A tagger, by its configuration and its logs."""
    path = make_run("tags", [line(10), line(10, "valid", loss=0.4, perplexity=1.5, f1=0.75, accuracy=0.9)])
    (path / "config.yaml").write_text("task: {name: tag}")
    [run] = read_runs([path])
    return run
