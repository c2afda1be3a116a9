"""How a translator reads texts and writes their translations."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rnnlm.dataset.batches import LONGEST_WINDOW
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.inspect.reading import Document, LayerValues, Predictions, Reading, Token, most_tokens
from rnnlm.inspect.tokens import end_of, shown_sentence
from rnnlm.models.translator import Alignment, Translator
from rnnlm.nn.batch import Pairs
from rnnlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class _Translation:
    """A text and its translation: ids and tokens of both, each with its end, and where the model looked."""

    source: list[int]
    target: list[int]
    tokens: list[Token]
    alignment: Alignment | None


@np.errstate(all="ignore")
def read_with_translator(model: Translator, documents: Iterable[Document]) -> Reading:
    """Read each document, and predict each token of the translation that the model writes.

    What is translated is read by the encoder, and not predicted.
    """
    network = model.network
    encoder, decoder = network.encoder.stack.layers, network.stack.layers
    network.forward(_pairs([Vocabulary.end_id], [Vocabulary.end_id]), network.initial_state(1))
    translations, is_whole = _translations(model, documents, most_tokens([*encoder, *decoder]))
    size = sum(len(each.tokens) for each in translations)
    predictions = Predictions.none(model.answers, size)
    sources, targets = LayerValues(encoder, size, "encoder, "), LayerValues(decoder, size, "decoder, ")
    first = 0
    for each in translations:
        log_probs, _ = network.log_probs(_pairs(each.source, each.target), network.initial_state(1))
        S, T = len(each.source), len(each.target)
        of_source, of_target = first + np.arange(S), first + S + np.arange(T)
        predictions.add(of_target, log_probs[:, 0], np.array(each.target))
        steps = np.ones((S, 1), bool)
        sources.add(of_source[::-1] if network.encoder.reverse else of_source, steps)
        # The first step reads START, which is not shown, and none reads the end.
        targets.add(of_target[:-1], np.arange(T)[:, None] > 0)
        refuse_overflow(log_probs)
        first += S + T
    tokens = [token for each in translations for token in each.tokens]
    alignments = [each.alignment for each in translations if each.alignment is not None]
    layers = [*sources.activations(), *targets.activations()]
    return Reading(model.description(), "token", tokens, predictions, layers, alignments, is_whole)


def _translations(model: Translator, documents: Iterable[Document], room: int) -> tuple[list[_Translation], bool]:
    """Translate documents that have tokens, and return whether there was `room` for all of them."""
    translations: list[_Translation] = []
    sources, targets = model.source_vocabulary, model.vocabulary
    for text, _ in documents:
        words = [word for sentence in sources.processor.sentences(text) for word in sentence]
        if not words:
            continue
        alignment = None if model.network.attention is None else model.align(text)
        translated = next(iter(model.predict([text]))) if alignment is None else alignment.translated
        ids = sources.encode(words, end=True)[:LONGEST_WINDOW], targets.encode(translated.tokens, end=True)
        read = [*shown_sentence(words, sources), end_of(sources)][:LONGEST_WINDOW]
        written = [*shown_sentence(translated.tokens, targets, "sentence"), end_of(targets)]
        room -= len(read) + len(written)
        if room < 0:
            return translations, False
        translations.append(_Translation(*ids, [*read, *written], alignment))
    return translations, True


def _pairs(source: list[int], target: list[int]) -> Pairs:
    """Return what the network reads to predict a target from a source."""
    read = [Vocabulary.start_id, *target[:-1]]
    return Pairs(np.array(read)[:, None], np.array(source)[:, None], np.array([len(source)]))
