"""How a classifier and a tagger read texts."""

from collections.abc import Iterable, Iterator

import numpy as np

from rnnlm.dataset.batches import LONGEST_WINDOW
from rnnlm.inspect.reading import Document, LayerValues, Predictions, Reading, Token, most_tokens
from rnnlm.inspect.tokens import end_of, shown_sentence
from rnnlm.models.classifier import TEXTS_TOGETHER, Classifier
from rnnlm.models.tagger import Tagged, Tagger
from rnnlm.nn.arrays import Floats
from rnnlm.text.vocabulary import Vocabulary


def read_with_classifier(model: Classifier, documents: Iterable[Document]) -> Reading:
    """Read each document, and predict its label after every token, as if the document ended there.

    The label that came is the document's own or, where that is not known, the one which the model gives to all.
    """
    vocabulary, layers = model.vocabulary, model.network.stack.layers
    model.log_probs([[vocabulary.end_id]])
    room = most_tokens(layers)
    texts = list(_words_of(documents, vocabulary, room))
    size = sum(len(words) for words, _ in texts)
    tokens: list[Token] = []
    predictions, values = Predictions.none(model.answers, size), LayerValues(layers, size)
    for words, label in texts:
        ids = [vocabulary.end_id if word is None else vocabulary.encode([word])[0] for word in words]
        places = len(tokens) + np.arange(len(ids))
        log_probs = _of_beginnings(model, ids)
        best = int(log_probs[-1].argmax())
        came = best if label is None else vocabulary.label_start(label) - vocabulary.first_label_id
        predictions.add(places, log_probs, np.full(len(ids), came))
        model.log_probs([ids])
        values.add(places, np.ones((len(ids), 1), bool))
        tokens += _shown_text(words, vocabulary, f"label {model.answers[came]}")
    is_whole = size < room
    return Reading(model.description(), "label", tokens, predictions, values.activations(), is_whole=is_whole)


def _words_of(
    documents: Iterable[Document], vocabulary: Vocabulary, room: int
) -> Iterator[tuple[list[str | None], str | None]]:
    """Yield what is read of each document, None for its end, while there is `room`, and the document's label."""
    for text, label in documents:
        words = [word for sentence in vocabulary.processor.sentences(text) for word in sentence]
        read = [*words, None][: min(LONGEST_WINDOW, room)]
        if words and read:
            yield read, label
            room -= len(read)


def _shown_text(words: list[str | None], vocabulary: Vocabulary, label: str | None = None) -> Iterator[Token]:
    """Yield the tokens of a text that `_words_of` gave."""
    yield from shown_sentence([word for word in words if word is not None], vocabulary, label=label)
    if words[-1] is None:
        yield end_of(vocabulary, label)


def _of_beginnings(model: Classifier, ids: list[int]) -> Floats:
    """Return the log-probabilities of the labels after each token of a text, (N, K)."""
    beginnings = [ids[: k + 1] for k in range(len(ids))]
    together = range(0, len(ids), TEXTS_TOGETHER)
    return np.concatenate([model.log_probs(beginnings[first : first + TEXTS_TOGETHER]) for first in together])


def read_with_tagger(model: Tagger, documents: Iterable[Document]) -> Reading:
    """Read each document, and predict the tag of each token.

    The tag that came is the one which the model gives to it.
    """
    layers = model.network.stack.layers
    model.log_probs(["a"])
    room = most_tokens(layers)
    texts: list[Tagged] = []
    size = 0
    for answer in model.predict(text for text, _ in documents):
        texts.append(Tagged(answer.tokens[: room - size], answer.tags[: room - size], answer.text))
        size += len(texts[-1].tokens)
        if size == room:
            break
    tokens: list[Token] = []
    predictions, values = Predictions.none(model.answers, size), LayerValues(layers, size)
    for text in texts:
        shown = shown_sentence(text.tokens, model.vocabulary)
        for start in range(0, len(text.tokens), LONGEST_WINDOW):
            tags = text.tags[start : start + LONGEST_WINDOW]
            places = len(tokens) + start + np.arange(len(tags))
            log_probs = model.log_probs(text.tokens[start : start + LONGEST_WINDOW])
            predictions.add(places, log_probs, np.array([model.tags.names.index(tag) for tag in tags]))
            values.add(places, np.ones((len(tags), 1), bool))
        tokens += [token._replace(label=f"tag {tag}") for token, tag in zip(shown, text.tags, strict=True)]
    is_whole = size < room
    return Reading(model.description(), "tag", tokens, predictions, values.activations(), is_whole=is_whole)
