"""``rnnlm report --watch`` beside ``rnnlm train``, as processes."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Command, write_config


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run ``rnnlm`` beside a ``with`` block, which is to end it."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "rnnlm", *arguments], stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(address: str, pattern: str) -> str:
    """Ask for the page until it matches a pattern; return what the pattern's group is."""
    for _ in range(6_000):
        with urllib.request.urlopen(address, timeout=60) as answer:
            page = answer.read().decode()
        if match := re.search(pattern, page):
            return match[1]
        time.sleep(0.05)
    raise AssertionError(f"{pattern} is not in {page}")


@pytest.mark.skipif(os.name == "nt", reason="no process gets Ctrl-C alone there")
def test_the_page_of_a_run_follows_it_to_its_end_and_beyond(rnnlm: Command, word_dataset: Path):
    config = write_config(
        "tiny.yaml",
        data={"path": str(word_dataset)},
        model={"hidden_size": 6},
        training={"batch_size": 6, "epochs": 1_000_000, "sample_tokens": 0, "log_every": 1, "evaluate_every": 50},
    )
    assert rnnlm("train", "--config", config, "--out", "run", "--set", "training.max_steps=0").exit_code == 0
    with started("report", "run", "--watch") as report:
        assert report.stdout is not None
        address = report.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}", address)
        assert wait_for(address, "run: (.*?)[,.]") == "ended"
        assert wait_for(address, "has logged (nothing) yet")
        for _ in range(2):
            with started("train", "--config", config, "--out", "run", "--resume", "--quiet") as train:
                wait_for(address, "(run: being trained)")
                before = int(wait_for(address, r"Step ([\d,]+), epoch").replace(",", ""))
                assert int(wait_for(address, rf"Step (?!{before:,},)([\d,]+), epoch").replace(",", "")) > before
                train.send_signal(signal.SIGINT)
                assert train.wait(300) == 130
            wait_for(address, "(run: ended)")
        report.send_signal(signal.SIGINT)
        rest, said = report.communicate(timeout=300)
        assert (report.returncode, rest) == (130, "")
        assert said == "Open this address in a browser on this machine; Ctrl-C ends it.\n\nrnnlm: Interrupted.\n"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=10)


@pytest.mark.skipif(os.name == "nt", reason="SIGTERM is not sent there")
def test_sigterm_ends_it(word_run: Path):
    with started("report", str(word_run), "--watch", "--json", "--quiet") as report:
        assert report.stdout is not None
        assert re.fullmatch(r'{"address": "http://127\.0\.0\.1:\d+/[\w-]{43}"}\n', report.stdout.readline())
        report.terminate()
        assert report.communicate(timeout=300) == ("", "")
        assert report.returncode == -signal.SIGTERM


@pytest.mark.parametrize("option", [["--out", "a.html"], ["--tensorboard", "events"]])
def test_it_writes_no_file(rnnlm: Command, word_run: Path, option: list[str]):
    outcome = rnnlm("report", word_run, "--watch", *option)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.endswith("Error: --watch writes no file; leave --out and --tensorboard out.\n")


def test_what_is_no_run_is_not_watched(rnnlm: Command):
    assert rnnlm("report", "none", "--watch") == (1, "", "rnnlm: none: no such directory; name a run.\n")
