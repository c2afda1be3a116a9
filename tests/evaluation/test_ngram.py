import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.evaluation.ngram import NgramModel
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import Vocabulary

START, END, A, B, C = 1, 2, 3, 4, 5
TOKENS = ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "a", "b", "c"]
VOCABULARY = Vocabulary(TOKENS, [1] * 6, TextSettings(tokenizer="whitespace"))

ARPA = r"""
written by hand

\data\
ngram 1=5
ngram 2=3
ngram 3=1

\1-grams:
-1.0	<unk>
-99	<s>	-0.5
-0.4	a	-0.3
-0.6	b	-0.2
-0.7	</s>

\2-grams:
-0.35	b </s>
-0.2	<s> a	-0.1
-0.25	a b	-0.15

\3-grams:
-0.05	<s> a b

\end\
"""


def load(path: Path, text: str = ARPA, vocabulary: Vocabulary = VOCABULARY) -> NgramModel:
    path = path / "model.arpa"
    path.write_text(text, encoding="utf-8")
    return NgramModel.load(path, vocabulary)


def of_all(model: NgramModel, ids: Ids) -> Floats:
    """Return the log-probability of every predicted token."""
    return model.of_text(ids)(np.flatnonzero(ids != START))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # The trigram <s> a b is there; of a b </s> only b </s>, after the weight of a b.
        ([A, B], [-0.2, -0.05, -0.15 - 0.35]),
        # Neither <s> b nor b <unk> are there, and <unk> has no weight.
        ([B, 0], [-0.5 - 0.6, -0.2 - 1.0, -0.7]),
        # Twice back from <s> a a to a; a a is no context, and has no weight.
        ([A, A, B], [-0.2, -0.1 - 0.3 - 0.4, -0.25, -0.15 - 0.35]),
        # A word that the file does not have.
        ([C, A], [-math.inf, -0.4, -0.3 - 0.7]),
    ],
)
def test_log_probs_back_off_as_computed_by_hand(tmp_path: Path, words: list[int], expected: list[float]):
    log_probs = of_all(load(tmp_path), np.array([START, *words, END]))
    assert log_probs / math.log(10) == pytest.approx(expected)


def test_sentences_do_not_see_one_another(tmp_path: Path):
    model = load(tmp_path)
    sentences = [np.array([START, *words, END], np.uint16) for words in ([A, B], [B], [A, A, B])]
    apart = np.concatenate([of_all(model, ids) for ids in sentences])
    text = np.concatenate(sentences)
    assert np.array_equal(of_all(model, text), apart)
    # Nor does it matter which of them are asked for, and in which order.
    at = np.flatnonzero(text != START)
    assert np.array_equal(model.of_text(text)(at[::-2]), apart[::-2])


def test_a_compressed_file_is_read(tmp_path: Path):
    path = tmp_path / "model.arpa.gz"
    path.write_bytes(gzip.compress(ARPA.encode()))
    ids = np.array([START, A, B, END])
    assert np.array_equal(of_all(NgramModel.load(path, VOCABULARY), ids), of_all(load(tmp_path), ids))


def test_orders_without_n_grams_are_left_out(tmp_path: Path):
    text = ARPA.replace("ngram 3=1", "ngram 3=0").replace("-0.05\t<s> a b\n", "")
    log_probs = of_all(load(tmp_path, text), np.array([START, A, B]))
    assert log_probs / math.log(10) == pytest.approx([-0.2, -0.1 - 0.25 + 0.1])


def test_two_names_of_the_unknown_token_add_up(tmp_path: Path):
    text = ARPA.replace("ngram 1=5", "ngram 1=6").replace("<unk>", "<unk>\n-1.0 UNKNOWN_TOKEN -0.5")
    log_probs = of_all(load(tmp_path, text), np.array([START, 0, A]))
    assert log_probs / math.log(10) == pytest.approx([-0.5 - 1 + math.log10(2), -0.5 - 0.4])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "", r"model.arpa: this is not an ARPA file, as no line is \\data\\;"),
        ("ngram 2=3", "ngram 3=3", "model.arpa, line 6: it should be 'ngram 2=' and a number of at most"),
        ("ngram 1=5", f"ngram 1={10**21}", "model.arpa, line 5: it should be 'ngram 1=' and a number of at most"),
        ("ngram 1=5", f"ngram 1={'9' * 5000}", "model.arpa, line 5: it should be 'ngram 1=' and a number of"),
        ("ngram 1=5", "ngram 1=900000000000", "line 15: one of 900,000,000,000 1-grams, with its log-probability"),
        ("ngram 1=5", "ngram 1=0", "model.arpa: there are no n-grams in it; is the file complete?"),
        ("\\2-grams:", "\\4-grams:", r"model.arpa, line 16: \\2-grams: should be here; is the file complete?"),
        ("-0.4\ta", "-0.4\tdog", "model.arpa, line 12: 'dog' is not in the model's vocabulary; build"),
        (
            "a\t-0.3",
            "a\t-0.3\t1",
            "model.arpa, line 12: one of 5 1-grams, with its log-probability, should be here",
        ),
        ("-0.4\ta", "0.4\ta", "line 12: one of 5 1-grams"),
        ("-0.4\ta", "nan\ta", "line 12: one of 5 1-grams"),
        ("a\t-0.3", "a\tinf", "line 12: one of 5 1-grams"),
        ("a b\t-0.15", "a", "line 19: one of 3 2-grams"),
        ("-0.25", "minus", "line 19: one of 3 2-grams"),
        ("a b\t-0.15\n", "", "line 19: one of 3 2-grams"),
        ("ngram 3=1", "ngram 3=9", "model.arpa, line 23: one of 9 3-grams"),
        ("<s> a b\n\n\\end\\\n", "", "model.arpa, line 22: one of 1 3-grams"),
        ("-0.05\t<s> a b\n\n\\end\\\n", "", "model.arpa, the end: one of 1 3-grams"),
        ("-0.05\t<s>", "-0.05\tb", "model.arpa: the first 2 words of a 3-gram are not among the 2-grams;"),
        ("-0.35\tb </s>", "-0.35\ta b", "model.arpa: an n-gram appears twice;"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str):
    assert old in ARPA
    with pytest.raises(RnnlmError, match=message):
        load(tmp_path, ARPA.replace(old, new))
