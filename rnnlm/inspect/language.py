"""How a language model reads a text."""

from collections.abc import Iterable

import numpy as np

from rnnlm.evaluation.scoring import passes, readings
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.inspect.reading import Document, LayerValues, Predictions, Reading, Token, most_tokens
from rnnlm.inspect.tokens import end_of, shown_sentence
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.arrays import Ids


@np.errstate(all="ignore")
def read_with_language_model(model: LanguageModel, documents: Iterable[Document]) -> Reading:
    """Read documents as the model was trained to: each sentence from the zero state, or all as a stream."""
    network, layers = model.network, model.network.stack.layers
    network.forward(np.full((1, 1), model.vocabulary.start_id), network.initial_state(1))
    room = most_tokens(layers)
    ids, tokens = _sentences(model, documents, room)
    # The number of the token at each place of the ids; -1 at a START, which is read but not shown.
    is_start = np.isin(ids, model.vocabulary.start_ids)
    numbers = np.where(is_start, -1, np.cumsum(~is_start) - 1)
    predictions, values = Predictions.none(model.answers, len(tokens)), LayerValues(layers, len(tokens))
    for at, batch, hidden in passes(
        network, ids, readings(ids, model.carries_state), lambda batch, state: network.forward(batch.inputs, state)
    ):
        places, steps = at[batch.mask], batch.mask.copy()
        predictions.add_rows(numbers[places], network.head, hidden[steps], batch.targets[steps])
        read = numbers[places - 1]
        steps[steps] = read >= 0
        values.add(read[read >= 0], steps)
    refuse_overflow(predictions.log_probs)
    is_whole = len(tokens) < room
    return Reading(model.description(), "token", tokens, predictions, values.activations(), is_whole=is_whole)


def _sentences(model: LanguageModel, documents: Iterable[Document], room: int) -> tuple[Ids, list[Token]]:
    """Return the ids of the documents' sentences, each ``START w1 … wn END``, and the tokens that are shown.

    These are all but START; there is `room` for so many.
    """
    vocabulary = model.vocabulary
    ids: list[int] = []
    tokens: list[Token] = []
    for text, label in documents:
        start, begins = vocabulary.label_start(label), "text"
        for sentence in vocabulary.processor.sentences(text):
            words = sentence[: room - len(tokens)]
            if not words:
                return np.array(ids, np.intp), tokens
            ids += [start, *vocabulary.encode(words)]
            tokens += shown_sentence(words, vocabulary, begins, label)
            begins = "sentence"
            if len(tokens) < room:
                ids.append(vocabulary.end_id)
                tokens.append(end_of(vocabulary, label))
    return np.array(ids, np.intp), tokens
