import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

import rnnlm as package
from rnnlm.models.language_model import LanguageModel

from .conftest import Command

LINES = ["The cat sees the owl by the river.", "", "A zebra!", "The hen likes Bob at night."]


@pytest.fixture
def text() -> str:
    Path("text.txt").write_text("\n".join(LINES) + "\n")
    return "text.txt"


def test_a_line_gives_a_line(rnnlm: Command, word_run: Path, text: str):
    outcome = rnnlm("score", text, "--model", word_run)
    lm = package.load(word_run)
    expected = [score if score.tokens else None for score in lm.scorer.scores(LINES)]
    assert outcome.exit_code == 0
    rows = [line.split("\t") for line in outcome.stdout.splitlines()]
    assert rows[1] == ["0.0000", "-", "0"]
    for row, score in zip(rows, expected, strict=True):
        if score is not None:
            assert float(row[0]) == pytest.approx(score.log_prob, abs=1e-3)
            assert float(row[1]) == pytest.approx(score.perplexity, rel=1e-3)
            assert int(row[2]) == score.unknown_tokens
    assert [row[2] for row in rows] == ["0", "0", "3", "1"]
    total = sum(score.log_prob for score in expected if score)
    assert outcome.stderr == (
        "4 lines, 22 tokens, of which 4 unknown:"
        f" log-probability {total:.4f}, perplexity {math.exp(-total / 22):.2f}\n"
    )


def test_one_line_is_not_several(rnnlm: Command, word_run: Path):
    Path("one.txt").write_text("\n")
    outcome = rnnlm("score", "one.txt", "--model", word_run)
    assert outcome.stderr.startswith("1 line, 0 tokens, of which 0 unknown: ")


def test_json_is_an_object_a_line(rnnlm: Command, word_run: Path, text: str):
    outcome = rnnlm("score", text, "--model", word_run, "--jsonl", "--quiet")
    assert outcome.stderr == ""
    first, empty, *_ = [json.loads(line) for line in outcome.stdout.splitlines()]
    score = package.load(word_run).score(LINES[0])
    assert set(first) == {"line", "log_prob", "perplexity", "tokens", "unknown_tokens"}
    assert first["log_prob"] == pytest.approx(score.log_prob, abs=1e-4)
    assert (first["line"], first["tokens"]) == (1, 10)
    assert empty == {"line": 2, "log_prob": 0, "perplexity": None, "tokens": 0, "unknown_tokens": 0}
    detailed = rnnlm("score", text, "--model", word_run, "--jsonl", "--tokens").stdout.splitlines()[0]
    tokens = json.loads(detailed)["token_log_probs"]
    assert [token for token, _ in tokens] == [token for token, _ in score.tokens]
    assert sum(log_prob for _, log_prob in tokens) == pytest.approx(first["log_prob"])


def test_tokens_are_what_interpolation_reads(rnnlm: Command, word_run: Path, text: str):
    tokens = rnnlm("score", text, "--model", word_run, "--tokens", "--quiet").stdout
    rows = [line.split("\t") for line in tokens.splitlines()]
    assert [row[2] for row in rows[:3]] == ["the", "cat", "sees"]
    assert all(float(row[0]) == pytest.approx(math.exp(float(row[1])), rel=1e-3) for row in rows)
    Path("tokens.txt").write_text(tokens)
    alone = rnnlm("evaluate", "--model", word_run, "--text", text, "--json").json
    mixed = rnnlm(
        *["evaluate", "--model", word_run, "--text", text, "--json"],
        *["--interpolate", "tokens.txt", "--weight", 0.25],
    ).json
    # A mixture with oneself.
    assert mixed.pop("weight") == 0.25
    assert mixed == pytest.approx(alone, rel=1e-4)


def test_characters_that_are_not_seen_are_named(rnnlm: Command, char_run: Path, text: str):
    tokens = rnnlm("score", text, "--model", char_run, "--tokens").stdout.splitlines()
    assert [line.split("\t")[2] for line in tokens[:5]] == ["T", "h", "e", "' '", "c"]


@contextmanager
def running(*arguments: str | Path) -> Iterator[tuple["subprocess.Popen[str]", IO[str], IO[str]]]:
    """Start the program between two pipes; it is killed rather than waited for without end."""
    command = [sys.executable, "-m", "rnnlm", *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        too_long = threading.Timer(60, process.kill)
        too_long.start()
        yield process, process.stdin, process.stdout
        process.stdin.close()
        assert process.stdout.read() == ""
        process.wait()
        too_long.cancel()


@pytest.mark.parametrize("file", ["-", "pipe"])
def test_an_answer_comes_before_the_input_ends(word_run: Path, working_directory: Path, file: str):
    if file == "pipe":
        os.mkfifo(file)
    with running("score", file, "--model", word_run) as (process, stdin, stdout):
        if file == "pipe":
            stdin = open(file, "w", buffering=1)  # noqa: SIM115
        answers = []
        for line in LINES:
            stdin.write(f"{line}\n")
            answers.append(stdout.readline())
        stdin.close()
    assert process.returncode == 0
    lm = LanguageModel.load(word_run)
    assert answers == [
        f"{score.log_prob:.4f}\t{score.perplexity:.2f}\t{score.unknown_tokens}\n"
        if score.perplexity
        else "0.0000\t-\t0\n"
        for score in lm.scorer.scores(LINES, batch_size=1)
    ]


def test_lines_give_the_same_however_they_come(rnnlm: Command, word_run: Path):
    lines = [line for line in LINES for _ in range(60)]
    Path("text.txt").write_text("\n".join(lines) + "\n")
    expected = rnnlm("score", "text.txt", "--model", word_run, "--quiet").stdout
    for arguments in (["--batch-size", "7"], []):
        command = [sys.executable, "-m", "rnnlm", "score", "-", "--model", str(word_run), "--quiet", *arguments]
        outcome = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
        numbers, others = ([line.split("\t") for line in each.splitlines()] for each in (outcome.stdout, expected))
        assert len(numbers) == len(lines)
        for row, other in zip(numbers, others, strict=True):
            assert row[2] == other[2]
            assert float(row[0]) == pytest.approx(float(other[0]), abs=2e-4)


def test_what_came_before_an_error_is_answered(word_run: Path):
    with running("score", "-", "--model", word_run, "--quiet") as (process, stdin, stdout):
        stdin.write("the cat\n")
        assert stdout.readline().endswith("\t0\n")
        with suppress(BrokenPipeError):
            stdin.write("x" * 17_000_000 + "\n")
        assert process.stderr is not None
        assert process.stderr.readline().startswith("rnnlm: standard input: line 2 has more than")
    assert process.returncode == 1


def test_rescoring_and_prompts_answer_as_lines_come_too(word_run: Path):
    with running("rescore", "-", "--model", word_run, "--scores") as (_, stdin, stdout):
        for line in ("1 the cat", "1 the dog", "2 the owl"):
            stdin.write(f"{line}\n")
            assert float(stdout.readline()) < 0
    with running("rescore", "-", "--model", word_run) as (_, stdin, stdout):
        stdin.write("1 the cat\n2 the owl\n")
        assert stdout.readline() == "1 the cat\n"
        stdin.close()
        assert stdout.readline() == "2 the owl\n"
    with running("generate", "--prompts", "-", "--model", word_run, "--max-tokens", "3") as (_, stdin, stdout):
        for line in ("The cat", "The dog"):
            stdin.write(f"{line}\n")
            assert stdout.readline().startswith(line)


def test_it_ends_at_once_while_it_waits_for_a_line(word_run: Path):
    with running("score", "-", "--model", word_run, "--quiet") as (process, stdin, stdout):
        stdin.write("the cat\n")
        stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read().strip() == "rnnlm: Interrupted."
        assert process.wait() == 130


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["none.txt"], 1, "rnnlm: none.txt: "),
        (["text.txt", "--interpolate", "none.arpa"], 1, "rnnlm: none.arpa: the file cannot be read"),
        (["text.txt", "--interpolate", "text.txt"], 1, "rnnlm: text.txt: this is not an ARPA file"),
        (["text.txt", "--weight", "0.5"], 2, "Error: --weight is for a mixture; give --interpolate FILE too."),
        (["text.txt", "--weight", "0"], 2, "Error: Invalid value for '--weight'"),
        (["text.txt", "--batch-size", "0"], 2, "Error: Invalid value for '--batch-size'"),
    ],
)
def test_what_is_wrong_is_said(
    rnnlm: Command, word_run: Path, text: str, arguments: list[str], exit_code: int, message: str
):
    outcome = rnnlm("score", "--model", word_run, "--quiet", *arguments)
    assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
    assert outcome.stderr.splitlines()[-1].startswith(message)


def test_the_texts_of_records_are_scored(rnnlm: Command, word_run: Path):
    Path("text.txt").write_text("\n".join(filter(None, LINES)) + "\n")
    Path("a.jsonl").write_text("".join(json.dumps({"data": {"body": line}}) + "\n" for line in LINES if line))
    of_lines = rnnlm("score", "text.txt", "--model", word_run)
    of_records = rnnlm("score", "a.jsonl", "--model", word_run, "--text-column", "data.body")
    assert of_records.stdout == of_lines.stdout
    assert "Reading JSON lines, text from 'data.body': \"The cat sees the owl by the river.\"" in of_records.stderr
    assert rnnlm("score", "a.jsonl", "--model", word_run).exit_code == 1
    as_text = rnnlm("score", "a.jsonl", "--model", word_run, "--format", "txt", "--quiet")
    assert len(as_text.stdout.splitlines()) == 3
