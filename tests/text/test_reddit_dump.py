"""A dump as Reddit's are published is read under its own name."""

import json
import subprocess
import sys
from pathlib import Path

from rnnlm.text.lines import ReadReport, open_bytes, read_lines

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_reddit_dump.py"


def make(file: Path, *options: str) -> str:
    command = [sys.executable, str(SCRIPT), str(file), "--megabytes", "1", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_dump_of_a_month(tmp_path: Path) -> None:
    file = tmp_path / "RC_2026-01.zst"
    said = make(file)
    report = ReadReport()
    comments = [json.loads(line) for line in read_lines(str(file), report)]
    assert report.messages() == []
    assert said.startswith(f"{file}: {len(comments):,} comments, 1,00")
    assert len(comments[0]) > 60
    bodies = [comment["body"] for comment in comments]
    assert {"[deleted]", "[removed]"} < set(bodies)
    assert any("&gt; " in body and "\n\n" in body for body in bodies)
    assert any("’" in body for body in bodies)
    with open_bytes(str(file), ReadReport()) as stream:
        assert stream.content.compression == "zstd"
        assert rb"\u2019" in stream.read()
    # The window is the largest there is.
    assert file.read_bytes()[4:6] == bytes([0b100, (31 - 10) << 3])


def test_the_same_seed_makes_the_same_dump(tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        make(tmp_path / name, "--seed", seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()
