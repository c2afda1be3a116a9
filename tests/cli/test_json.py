import json
import math
import re
from pathlib import Path

import pytest

from .conftest import Command, write_config

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "json.md"


@pytest.mark.parametrize(
    "line",
    [
        "preprocess text.txt --tokenizer whitespace --valid-fraction 0 --test-fraction 0",
        "train --config config.yaml --out run",
        "evaluate --model {run} --text text.txt",
        "generate --model {run}",
        "neighbors cat --model {run}",
        "gradcheck --config config.yaml",
        "benchmark --config config.yaml --seconds 0.01",
        "diagnose --model {run} --text text.txt --distance 2",
        "report {run} --out report.html",
    ],
)
def test_what_is_printed_is_documented(rnnlm: Command, word_run: Path, word_dataset: Path, line: str) -> None:
    Path("text.txt").write_text("the cat sat\n" * 40)
    write_config("config.yaml", data={"path": str(word_dataset)}, training={"max_steps": 1, "batch_size": 4})
    command = line.split()[0]
    printed = rnnlm(*(word.format(run=word_run) for word in line.split()), "--json", "--quiet").json
    assert set(printed) <= documented(f"{command} --json")


@pytest.mark.parametrize(
    ("run", "kind"), [("label_run", "classifier"), ("tag_run", "tagger"), ("translator_run", "translator")]
)
def test_answers_and_how_right_they_are_are_documented(
    request: pytest.FixtureRequest, rnnlm: Command, run: str, kind: str
) -> None:
    path = request.getfixturevalue(run)
    assert set(rnnlm("evaluate", "--model", path, "--json").json) <= documented("evaluate --json", f" of a {kind}")
    answer = json.loads(rnnlm("predict", "--model", path, "--text", "the cat", "--jsonl").stdout)
    assert set(answer) == documented("predict --jsonl", f" of a {kind}")


def test_forecasts_and_their_errors_are_documented(rnnlm: Command, series_run: Path, series_dataset: Path) -> None:
    assert set(rnnlm("evaluate", "--model", series_run, "--json").json) <= documented(
        "evaluate --json", " of a forec"
    )
    assert set(rnnlm("predict", "--model", series_run, "--jsonl").json) <= documented(
        "predict --jsonl", " of a forec"
    )
    assert set(rnnlm("info", series_dataset, "--json").json) <= documented("info --json", " of a series")
    of_run = {
        name for name in rnnlm("info", series_run, "--json").json if not name.endswith(("rmse", "mae", "mase"))
    }
    assert of_run <= documented("info --json", " of a run")
    made = rnnlm("preprocess", "--format", "series", "--json").json
    assert set(made) <= documented("preprocess --json", " of a series")


def test_what_info_prints_is_documented(
    rnnlm: Command, word_run: Path, translator_run: Path, word_dataset: Path
) -> None:
    of_run = rnnlm("info", word_run, "--json").json
    assert set(of_run) <= documented("info --json", " of a run")
    assert set(rnnlm("info", translator_run, "--json").json) <= documented("info --json", " of a run")
    assert of_run["best_valid_perplexity"] == pytest.approx(math.exp(of_run["best_valid_loss"]))
    assert set(rnnlm("info", word_dataset, "--json").json) <= documented("info --json", " of a dataset")


def test_the_keys_of_the_logs_are_documented(word_run: Path) -> None:
    for log in ("metrics.jsonl", "samples.jsonl"):
        for line in (word_run / log).read_text().splitlines():
            assert set(json.loads(line)) <= documented(log)


@pytest.mark.parametrize("command", ["generate", "score", "rescore"])
def test_lines_are_documented(rnnlm: Command, word_run: Path, command: str) -> None:
    Path("text.txt").write_text("1 the cat sat\n")
    arguments = {"generate": ["--novelty"], "score": ["text.txt", "--tokens"], "rescore": ["text.txt"]}[command]
    outcome = rnnlm(command, *arguments, "--model", word_run, "--jsonl", "--quiet")
    for line in outcome.stdout.splitlines():
        assert set(json.loads(line)) == documented(f"{command} --jsonl") - {"label"}


def test_the_samples_of_generate_are_documented(rnnlm: Command, word_run: Path) -> None:
    outcome = rnnlm("generate", "--model", word_run, "--json", "--novelty", "--quiet")
    for sample in outcome.json["samples"]:
        assert {"samples", *sample} == documented("generate --json") - {"label"}


def documented(command: str, of: str = "") -> set[str]:
    """Return the names that stand in the first row of a command."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith(f"| `{command}`{of}"))
    names = re.findall(r"`(\w+)`", row.split("|")[2])
    assert names
    return set(names)
