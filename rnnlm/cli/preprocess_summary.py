"""What ``rnnlm preprocess`` says about its settings and about what it has made."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.dataset.building.build import BuildResult
    from rnnlm.text.processor import TextSettings

FEW_TOKENS = 1000
"""Tokens to train on below which no model can write well."""

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
        yield f"Left out {counted(result.empty_documents, 'document{s}')} without a token."
    at_least = "at least " if result.forgot_types else ""
    unique = counted(result.unique_tokens, "unique token{s}")
    yield f"Found {at_least}{unique} in the training text."
    yield f"The vocabulary has {len(vocabulary):,} tokens, the special ones included."
    is_new = result.chosen_words == len(vocabulary) - first
    settings, words = vocabulary.settings, set(vocabulary.tokens)
    # A character that is part of subwords may never appear by itself.
    if result.least_frequent and result.least_frequent[1]:
        token, count = result.least_frequent
        times = "once" if count == 1 else f"{count:,} times"
        kind = "character" if settings.level == "char" else "subword" if settings.subwords else "word"
        name = vocabulary.visible(token)
        name = name if token.isspace() else repr(name)
        yield f"The least frequent {kind} {'in it' if is_new else 'added'} is {name}, which appeared {times}."
    ended = sum(word.endswith(".") and word[:-1] in words and word[:-1].isalpha() for word in words)
    one_sentence = settings.tokenizer == "nltk" and not (settings.sentences or settings.keep_lines)
    if is_new and by_default and one_sentence and ended > MANY_PERIODS * len(words):
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
    rates = [f"{name} {part.unknown_rate:.2%}" for name, part in result.splits.items() if part.tokens]
    yield f"Unknown tokens: {', '.join(rates)}."
    trained = result.splits["train"].tokens
    if trained < FEW_TOKENS:
        only = f"{'is' if trained == 1 else 'are'} only {counted(trained, 'token{s}')}"
        yield f"There {only} to train on: a model that writes well needs tens of thousands."
