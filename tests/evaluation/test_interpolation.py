import gzip
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.evaluation.interpolation import Interpolation, TokenProbabilities, fit_weight, mix, open_predictor
from rnnlm.evaluation.ngram import NgramModel
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import Vocabulary

IDS = np.array([1, 5, 4, 2, 1, 3, 2])
"""Two sentences with five predictions."""


VOCABULARY = Vocabulary(["UNKNOWN", "START", "END", "a"], [1] * 4, TextSettings(tokenizer="whitespace"))


@pytest.fixture(autouse=True)
def _without_warnings() -> Iterator[None]:
    """Let logarithms of zero pass, as a `Scorer` does."""
    with np.errstate(all="ignore"):
        yield


def write_bigrams(path: Path, model: LanguageModel) -> Path:
    """Write a bigram model whose probabilities add up to one after every word, for a vocabulary."""
    rng = np.random.default_rng(0)
    words = ["<unk>", "<s>", "</s>", *model.vocabulary.tokens[3:]]
    unigrams = rng.random(len(words))
    unigrams[1] = 0
    unigrams /= unigrams.sum()
    context, followers = 5, [2, 3, 7]
    bigrams = np.array([0.2, 0.1, 0.3])
    backoff = (1 - bigrams.sum()) / (1 - unigrams[followers].sum())
    lines = ["\\data\\", f"ngram 1={len(words)}", "ngram 2=3", "", "\\1-grams:"]
    for index, word in enumerate(words):
        weight = f"\t{math.log10(backoff):.9f}" if index == context else ""
        lines.append(f"{-99 if index == 1 else math.log10(unigrams[index]):.9f}\t{word}{weight}")
    lines += ["", "\\2-grams:"]
    for follower, probability in zip(followers, bigrams, strict=True):
        lines.append(f"{math.log10(probability):.9f}\t{words[context]} {words[follower]}")
    path.write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("before", [5, 6])
def test_the_probabilities_of_a_mixture_add_up_to_one(word_model: LanguageModel, tmp_path: Path, before: int):
    ngrams = NgramModel.load(write_bigrams(tmp_path / "a.arpa", word_model), word_model.vocabulary)
    network = word_model.log_probs([1, before])[-1].astype(float)
    total = 0.0
    for word in range(len(word_model.vocabulary)):
        # A start is never predicted: the n-gram model gives it nothing.
        other = np.array([-np.inf]) if word == 1 else ngrams.of_text(np.array([1, before, word]))(np.array([2]))
        total += float(np.exp(mix(0.3, network[word : word + 1], other)).sum())
    assert total == pytest.approx(1, abs=1e-6)


def test_mix_is_the_weighted_sum_of_probabilities():
    first, second = np.array([0.5, 0.1, 0.2]), np.array([0.1, 0.4, 0.0])
    mixed = mix(0.25, np.log(first), np.log(second))
    assert np.exp(mixed) == pytest.approx(0.25 * first + 0.75 * second)
    assert mix(1.0, np.log(first), np.log(first) - 1) == pytest.approx(np.log(first))


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_the_weight_is_the_best_of_all(scale: float):
    rng = np.random.default_rng(1)
    first, second = -rng.gamma(2.0, 1.0, 500), -rng.gamma(2.0, scale, 500)
    weights = np.linspace(0, 1, 1001)[1:-1]
    best = max(weights, key=lambda weight: mix(weight, first, second).sum())
    assert fit_weight(first, second) == pytest.approx(best, abs=2e-3)


def test_a_model_that_knows_nothing_gets_no_weight():
    log_probs = np.log([0.5, 0.1])
    assert fit_weight(log_probs, np.full(2, -np.inf)) == 1
    assert fit_weight(log_probs, np.log([0.6, 0.2])) < 1e-4


def test_a_model_that_knows_nearly_nothing_gets_nearly_no_weight():
    assert 0 < fit_weight(np.full(3, -800.0, np.float32), np.full(3, -0.1)) < 1e-4


def test_probabilities_are_the_first_number_of_each_line(tmp_path: Path):
    path = tmp_path / "probabilities.txt.gz"
    path.write_bytes(gzip.compress(b"0.5 the\n1e-3\n0\n  1.0\tcat 7\n0.25\n"))
    other = open_predictor(path, VOCABULARY)
    at = np.array([1, 2, 3, 5, 6])
    assert np.exp(other.of_text(IDS)(at)) == pytest.approx([0.5, 0.001, 0, 1, 0.25])
    windows = [(at[[4, 1]], -np.log([0.5, 0.5])), (at[[0, 2, 3]], -np.log([0.5, 0.5, 0.5]))]
    first, second = Interpolation(other, 0.5).losses(windows, IDS)
    assert first[0].tolist() == [6, 2]
    assert np.exp(-first[1]) == pytest.approx([0.375, 0.2505])
    assert np.exp(-second[1]) == pytest.approx([0.5, 0.25, 0.75])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.5\n0.5\n", "p.txt: it has 2 probabilities, but the text 5 tokens; give those of this text"),
        ("0.5\n\n0.5\n", "p.txt, line 2: it should begin with a probability from 0 to 1"),
        ("0.5\nthe 0.5\n", "p.txt, line 2: it should begin"),
        ("0.5\n1.5\n", "p.txt, line 2: it should begin"),
        ("nan\n", "p.txt, line 1: it should begin"),
    ],
)
def test_a_file_that_is_not_of_the_text_is_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(RnnlmError, match=message):
        open_predictor(tmp_path / "p.txt", VOCABULARY).of_text(IDS)


def test_a_predictor_is_what_its_first_line_says(tmp_path: Path, word_model: LanguageModel):
    ngrams = open_predictor(write_bigrams(tmp_path / "a.arpa", word_model), word_model.vocabulary)
    assert isinstance(ngrams, NgramModel)
    (tmp_path / "p.txt").write_text("0.5 the\n")
    assert isinstance(open_predictor(tmp_path / "p.txt", word_model.vocabulary), TokenProbabilities)
    (tmp_path / "empty").touch()
    with pytest.raises(RnnlmError, match="empty: this is not an ARPA file"):
        open_predictor(tmp_path / "empty", word_model.vocabulary)


@pytest.mark.parametrize("kind", ["arpa", "probabilities"])
def test_a_predictor_is_read_once_and_may_be_a_pipe(tmp_path: Path, word_model: LanguageModel, kind: str):
    content = b"0.5\n" * 5
    if kind == "arpa":
        content = write_bigrams(tmp_path / "a.arpa", word_model).read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    predictor = open_predictor(tmp_path / "pipe", word_model.vocabulary)
    writer.join()
    assert np.isfinite(predictor.of_text(IDS)(np.array([1, 2, 3, 5, 6]))).all()
