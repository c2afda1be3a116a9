"""BLEU against numbers computed by hand, and those that sacreBLEU publishes."""

import math
import sys

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.evaluation.bleu import UNMATCHED, corpus_bleu, reference_texts
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import Vocabulary

SPECIAL = ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END"]


@pytest.fixture
def sacrebleu():
    return pytest.importorskip("sacrebleu")


def test_by_hand(sacrebleu):
    # Words, pairs, triples and fours in common: 3 of 4, 2 of 3, 1 of 2, and 0 of 1, which counts as a half.
    assert corpus_bleu(["this is a fest"], ["this is a test"], lowercase=False).score == pytest.approx(
        100 * (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** (1 / 4)
    )
    # Those of both sentences together: 10 of 10, 6 of 8, 4 of 6, 2 of 4. The references have two words more.
    translations = ["A dog runs along the beach", "two men sleep ."]
    references = ["A dog runs along the sandy beach", "two men sleep outside."]
    both = corpus_bleu(translations, references, lowercase=False)
    precisions = [10 / 10, 6 / 8, 4 / 6, 2 / 4]
    assert both.score == pytest.approx(100 * math.exp(1 - 12 / 10) * math.prod(precisions) ** (1 / 4))


def test_as_published(sacrebleu):
    """The translations of sacreBLEU's own tests that have one reference."""
    assert corpus_bleu(["this is a fest"], ["this is a test"], lowercase=False).score == pytest.approx(
        59.460, 1e-5
    )
    found, reference = (
        "Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;",
        "producţia de zahăr brut se exprimă în zahăr alb;",
    )
    assert corpus_bleu([found], [reference], lowercase=False).score == pytest.approx(8.493, abs=5e-4)


def test_the_signature_says_how_it_was_computed(sacrebleu):
    texts = ["Two dogs, running."], ["two dogs , running ."]
    version = f"version:{sacrebleu.__version__}"
    mixed, lower = (corpus_bleu(*texts, lowercase=lowercase) for lowercase in (False, True))
    assert mixed.signature == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{version}"
    assert lower.signature == f"nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|{version}"
    assert mixed.score < lower.score
    assert lower.score == pytest.approx(100)


def test_characters_where_a_script_has_no_spaces(sacrebleu):
    reference = "两个年轻的白人男子在许多灌木附近的户外"
    found = corpus_bleu([reference.replace("年轻", "年老")], [reference], lowercase=True)
    assert "tok:char" in found.signature
    assert 50 < found.score < 100


def test_nothing_in_common_and_empty_translations(sacrebleu):
    assert corpus_bleu(["", ""], ["a dog", "a cat"], lowercase=True).score == 0
    assert corpus_bleu(["one two"], ["a cat sleeps"], lowercase=True).score == 0


@pytest.mark.parametrize("tokenizer", ["nltk", "whitespace", "unicode"])
def test_references_of_ids(tokenizer):
    tokens = ["a", "dog", "."] if tokenizer != "unicode" else ["▁a", "▁dog", "."]
    vocabulary = Vocabulary([*SPECIAL, *tokens], [1] * 6, TextSettings(tokenizer))
    [text, empty] = reference_texts([[3, 0, 4, 0, 5], []], vocabulary)
    assert text.split() == (
        ["a", UNMATCHED, "dog", UNMATCHED, "."]
        if tokenizer == "whitespace"
        else ["a", UNMATCHED, "dog", f"{UNMATCHED}."]
    )
    assert empty == ""


def test_an_unknown_word_counts_and_matches_nothing(sacrebleu):
    vocabulary = Vocabulary([*SPECIAL, "a", "brown", "dog", "runs", "."], [1] * 8, TextSettings("nltk"))
    translation = ["a brown UNKNOWN_TOKEN runs."]
    [reference] = reference_texts([[3, 4, 0, 6, 7]], vocabulary)
    known = corpus_bleu(translation, [reference], lowercase=True).score
    assert known == corpus_bleu(translation, ["a brown hound runs."], lowercase=True).score
    assert 0 < known < 100


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.bleu", None)
    with pytest.raises(RnnlmError, match="BLEU needs the package sacrebleu; run: pip install sacrebleu"):
        corpus_bleu(["a"], ["a"], lowercase=True)
