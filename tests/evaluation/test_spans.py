"""Spans that tags mark: by hand, and as seqeval finds them."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.evaluation.spans import Span, SpanCounts, SpanTags, is_spans
from rnnlm.text.tags import Tags

NAMES = Tags(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC", "E-PER", "S-PER"], [1] * 9)
PLAIN = Tags(["O", "B", "I", "E", "S"], [1] * 5)
WORDS = Tags(["S", "B", "E", "M"], [1] * 4, segmented=True)


def spans(tags, text):
    return SpanTags(tags).spans(tags.encode(text.split()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O B-PER I-PER O", [("PER", 1, 3)]),
        ("B-PER B-PER I-LOC", [("PER", 0, 1), ("PER", 1, 2), ("LOC", 2, 3)]),
        ("I-PER I-PER O I-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),  # IOB1
        ("B-LOC I-LOC E-LOC E-LOC S-LOC", [("LOC", 0, 3), ("LOC", 3, 4), ("LOC", 4, 5)]),  # IOBES
        ("I-LOC unseen unseen I-LOC", [("LOC", 0, 1), ("", 1, 3), ("LOC", 3, 4)]),
        ("O O", []),
        ("", []),
    ],
)
def test_names(text, expected):
    assert spans(NAMES, text) == [Span(*span) for span in expected]


def test_bilou():
    tags = Tags(["B-A", "I-A", "L-A", "U-A", "O"], [1] * 5)
    assert spans(tags, "B-A I-A L-A U-A O U-A") == [Span("A", 0, 3), Span("A", 3, 4), Span("A", 5, 6)]


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("B M M E S B E", [4, 1, 2]),
        ("B B E M", [1, 2, 1]),
        ("M M S E E", [2, 1, 1, 1]),
        ("B M B", [2, 1]),
        ("S unseen E", [1, 2]),
    ],
)
def test_words(text, lengths):
    found = spans(WORDS, text)
    assert [span.stop - span.start for span in found] == lengths
    assert [span.start for span in found] == [sum(lengths[:k]) for k in range(len(lengths))]


def test_counts_add_up_over_sentences():
    finder = SpanTags(NAMES)
    true = NAMES.encode(["B-PER", "I-PER", "B-LOC", "O", "B-LOC"])
    predicted = NAMES.encode(["B-PER", "I-PER", "B-PER", "B-LOC", "I-LOC"])
    counts = finder.count(true, predicted, [2, 3])
    # The second sentence has other types and ends.
    assert counts == SpanCounts(true=3, predicted=3, correct=1)
    assert (counts.precision, counts.recall, counts.f1) == (1 / 3, 1 / 3, 1 / 3)
    apart = finder.count(true[:2], predicted[:2], [2]) + finder.count(true[2:], predicted[2:], [3])
    assert apart == counts
    assert finder.count(true, predicted, [5]).correct == 1


def test_a_span_ends_with_its_sentence():
    ids = PLAIN.encode(["B", "I", "I"])
    assert SpanTags(PLAIN).count(ids, ids, [2, 1]).true == 2
    assert SpanTags(PLAIN).count(ids, ids, [3]).true == 1


def test_nothing_is_divided_by_zero():
    nothing = SpanTags(NAMES).count([], [], [])
    assert nothing == SpanCounts()
    assert (nothing.precision, nothing.recall, nothing.f1) == (0, 0, 0)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["O", "B-X", "I-X"], True),
        (["I-X", "O"], True),
        (["B", "I", "O"], True),
        (["NOUN", "VERB"], False),
        (["O"], False),
        (["O", "B-X", "NOUN"], False),
        ([], False),
    ],
)
def test_which_tags_mark_spans(names, expected):
    assert is_spans(Tags(names, [1] * len(names))) == expected
    assert is_spans(WORDS)


def sentences_of(tags):
    pairs = st.tuples(st.sampled_from(tags.names), st.sampled_from(tags.names))
    return st.lists(st.lists(pairs, min_size=1, max_size=12), min_size=1, max_size=4)


@pytest.mark.parametrize("tags", [NAMES, PLAIN])
@given(data=st.data())
def test_as_seqeval(tags, data):
    metrics = pytest.importorskip("seqeval.metrics")
    sentences = data.draw(sentences_of(tags))
    true, predicted = ([[pair[k] for pair in sentence] for sentence in sentences] for k in (0, 1))
    flat = [tags.encode(tag for sentence in side for tag in sentence) for side in (true, predicted)]
    counts = SpanTags(tags).count(*flat, [len(sentence) for sentence in sentences])
    assert counts.precision == pytest.approx(metrics.precision_score(true, predicted, zero_division=0))
    assert counts.recall == pytest.approx(metrics.recall_score(true, predicted, zero_division=0))
    assert counts.f1 == pytest.approx(metrics.f1_score(true, predicted, zero_division=0))


@given(st.lists(st.sampled_from(["S", "B", "M", "E", "unseen"]), max_size=30))
def test_words_are_never_apart_and_cover_the_sentence(names):
    found = SpanTags(WORDS).spans(WORDS.encode(names))
    edges = [0, *(span.stop for span in found)]
    assert [span.start for span in found] == edges[:-1]
    assert edges[-1] == len(names)


def test_a_million_tokens_take_seconds():
    ids = np.random.default_rng(0).integers(0, 10, 1_000_000)
    begun = time.process_time()
    SpanTags(NAMES).count(ids, ids[::-1], [20] * 50_000)
    assert time.process_time() - begun < 10
