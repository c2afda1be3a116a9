import json
import math
from pathlib import Path

import pytest

import rnnlm as package

from .conftest import Command

HYPOTHESES = [("u1", "river the by"), ("u1", "the cat sees"), ("u2", "zebra"), ("u2", ""), ("u1", "night")]


@pytest.fixture
def nbest() -> str:
    Path("nbest.txt").write_text("".join(f"{name} {text}\n" for name, text in HYPOTHESES))
    return "nbest.txt"


def test_the_best_of_each_id_is_printed(rnnlm: Command, word_run: Path, nbest: str):
    outcome = rnnlm("rescore", nbest, "--model", word_run)
    assert outcome == (0, "u1 the cat sees\nu2 \nu1 night\n", "")


def test_scores_are_base_10_logarithms_one_a_line(rnnlm: Command, word_run: Path, nbest: str):
    outcome = rnnlm("rescore", nbest, "--model", word_run, "--scores")
    lm = package.load(word_run)
    expected = [lm.score(text).log_prob if text else lm.log_probs([1])[0, 2] for _, text in HYPOTHESES]
    found = [float(line) for line in outcome.stdout.splitlines()]
    assert found == pytest.approx([log_prob / math.log(10) for log_prob in expected], abs=1e-4)


def test_json_names_everything(rnnlm: Command, word_run: Path):
    Path("moses.txt").write_text("0 ||| the cat sees ||| lm: -3 ||| -50.5\n0 ||| zebra ||| lm: -9 ||| -2.5\n")
    outcome = rnnlm("rescore", "moses.txt", "--model", word_run, "--lm-weight", 0.5, "--jsonl")
    best = outcome.json
    assert set(best) == {"id", "text", "score", "log10_prob", "total"}
    assert (best["id"], best["text"], best["score"]) == ("0", "zebra", -2.5)
    assert best["total"] == pytest.approx(-2.5 + 0.5 * best["log10_prob"])
    every = rnnlm("rescore", "moses.txt", "--model", word_run, "--jsonl", "--scores").stdout.splitlines()
    assert [json.loads(line)["text"] for line in every] == ["the cat sees", "zebra"]


@pytest.mark.parametrize(("options", "printed"), [([], ["u1 the cat sees"]), (["--scores"], ["-", "-", "-"])])
def test_what_stands_before_a_bad_line_is_answered(
    rnnlm: Command, word_run: Path, options: list[str], printed: list[str]
):
    lines = ["u1 river the by", "", "u1 the cat sees", "u2 zebra", "u3 ||| night ||| loud", "u4 night"]
    Path("nbest.txt").write_text("\n".join(lines))
    outcome = rnnlm("rescore", "nbest.txt", "--model", word_run, *options)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("rnnlm: nbest.txt, line 5: it is not a hypothesis; write 'id words', or")
    found = outcome.stdout.splitlines()
    assert len(found) == len(printed)
    assert all(line.startswith(begin) for line, begin in zip(found, printed, strict=True))


def test_the_encoding_can_be_chosen(rnnlm: Command, word_run: Path):
    Path("a.txt").write_bytes("u1 café\n".encode("utf-16-le"))
    outcome = rnnlm("rescore", "a.txt", "--model", word_run, "--encoding", "utf-16-le")
    assert outcome == (0, "u1 café\n", "")
    wrong = rnnlm("rescore", "a.txt", "--model", word_run, "--encoding", "nothing")
    assert wrong.exit_code == 1
    assert "--encoding 'nothing'" in wrong.stderr
