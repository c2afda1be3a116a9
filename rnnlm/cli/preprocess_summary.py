"""What ``rnnlm preprocess`` says about its settings and about what it has made."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.dataset.building.build import BuildResult
    from rnnlm.text.processor import TextSettings

FEW_TOKENS = 1000
"""Tokens to train on below which no model can write well."""

MOST_LABELS = 10
"""The most labels that are named."""

MANY_PERIODS = 0.02
"""Share of words with a period at their end above which documents seem to have several sentences."""


def as_options(text: "TextSettings", documents: str | None) -> str:
    """Write settings as the options that would give them."""
    tokenizer = f" --tokenizer {text.tokenizer}" if text.level == "word" else ""
    switches = "".join(
        f" --{'' if getattr(text, name) else 'no-'}{name}" for name in ("lowercase", "sentences", "clean")
    )
    later = (" --join none" if text.join == "none" else "") + (" --keep-lines" if text.keep_lines else "")
    return f"--level {text.level}{tokenizer}{switches}{later}" + (f" --documents {documents}" if documents else "")


def summary(result: "BuildResult", by_default: bool) -> Iterator[str]:
    """Say what the vocabulary covers, and what may be wrong with it.

    Parameters
    ----------
    result
        What was built.
    by_default
        Whether nobody chose about sentences.
    """
    from rnnlm.text.report import counted
    from rnnlm.text.scripts import is_turkish

    vocabulary, first = result.vocabulary, result.vocabulary.first_word_id
    if result.empty_documents:
        left_out = "pair{s} of which a side has no" if result.source is not None else "document{s} without a"
        yield f"Left out {counted(result.empty_documents, left_out)} token."
    of = " of the targets" if result.source is not None else ""
    if result.source is not None:
        yield from _words(result.source, " of the sources")
    yield from _words(result, of)
    is_new = result.chosen_words == vocabulary.first_label_id - first
    settings, words = vocabulary.settings, set(vocabulary.tokens)
    ended = sum(word.endswith(".") and word[:-1] in words and word[:-1].isalpha() for word in words)
    one_sentence = settings.tokenizer == "nltk" and not (settings.sentences or settings.keep_lines)
    is_split = result.tags is not None or result.source is not None
    if is_new and by_default and one_sentence and not is_split and ended > MANY_PERIODS * len(words):
        yield (
            f"{counted(ended, 'word{s}')} of the vocabulary {'has' if ended == 1 else 'have'} a period at"
            f" {'its' if ended == 1 else 'their'} end, which NLTK leaves there within a sentence: if lines are of"
            " several sentences, add --sentences."
        )
    if is_new and settings.lowercase and is_turkish(vocabulary.tokens[first:], vocabulary.counts[first:]):
        yield (
            "This reads like Turkish or Azerbaijani: in lower case I became i, not ı, as in other languages;"
            " --no-lowercase keeps capital letters."
        )
    yield from _labels(result)
    if result.source is not None:
        yield f"Unknown tokens of the sources: {_unknown_rates(result.source)}."
    yield f"Unknown tokens{of}: {_unknown_rates(result)}."
    if result.tags is not None:
        yield f"The training text has {counted(len(result.tags), 'tag{s}')}."
        unseen = [f"{name} {part.unknown_tags:,}" for name, part in result.splits.items() if part.unknown_tags]
        if unseen:
            yield f"Tokens whose tag the training text does not have: {', '.join(unseen)}."
    trained = result.splits["train"].tokens
    if trained < FEW_TOKENS:
        only = f"{'is' if trained == 1 else 'are'} only {counted(trained, 'token{s}')}"
        yield f"There {only} to train on: a model that writes well needs tens of thousands."


def _words(result: "BuildResult", of: str) -> Iterator[str]:
    """Say which words the vocabulary keeps; `of` says of what it is."""
    from rnnlm.text.report import counted

    vocabulary = result.vocabulary
    at_least = "at least " if result.forgot_types else ""
    unique = counted(result.unique_tokens, "unique token{s}")
    yield f"Found {at_least}{unique} in the training text{of}."
    yield f"The vocabulary{of} has {len(vocabulary):,} tokens, the special ones included."
    # A character that is part of subwords may never appear by itself.
    if result.least_frequent and result.least_frequent[1]:
        settings, (token, count) = vocabulary.settings, result.least_frequent
        is_new = result.chosen_words == vocabulary.first_label_id - vocabulary.first_word_id
        times = "once" if count == 1 else f"{count:,} times"
        kind = "character" if settings.level == "char" else "subword" if settings.subwords else "word"
        name = vocabulary.visible(token)
        name = name if token.isspace() else repr(name)
        yield f"The least frequent {kind} {'in it' if is_new else 'added'} is {name}, which appeared {times}."


def _unknown_rates(result: "BuildResult") -> str:
    return ", ".join(f"{name} {part.unknown_rate:.2%}" for name, part in result.splits.items() if part.tokens)


def _labels(result: "BuildResult") -> Iterator[str]:
    """Say which labels there are, and which of them cannot be learned."""
    from rnnlm.errors import shown
    from rnnlm.text.report import counted

    labels = list(result.labels.items())
    if not labels:
        return
    named = [f"{shown(label)} {texts:,}" for label, texts in labels]
    if len(named) > MOST_LABELS:
        named = [*named[: MOST_LABELS - 1], "…", named[-1]]
    yield f"{counted(len(labels), 'label{s}')} in the training text: {', '.join(named)}."
    if len(labels) == 1:
        yield "All texts have the same label, so there is nothing for a classifier to learn."
    if result.vocabulary.settings.sentences:
        yield (
            "Each sentence has the label of its document; --no-sentences keeps documents whole, as a classifier"
            " wants them."
        )
    for name, (texts, unseen) in result.unseen_labels.items():
        some = ", ".join(map(shown, unseen[:MOST_LABELS])) + (", …" if len(unseen) > MOST_LABELS else "")
        have = "has a label" if texts == 1 else "have labels"
        yield (
            f"{counted(texts, 'text{s}')} of the {name} part {have} that the training text lacks ({some}): no"
            " classifier can be right there."
        )
