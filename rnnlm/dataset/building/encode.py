"""Documents as chunks of ids, each with the tokens that its own ids stand for."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.workers import map_in_order
from rnnlm.text.documents import Piece
from rnnlm.text.line_ends import LINE_END, LINE_ENDS, MOST_LINE_ENDS
from rnnlm.text.processor import TextProcessor

CHUNK_CHARACTERS = 1 << 16
"""Characters of text that are processed at a time: a tenth of a second's work or so."""

SEGMENT = np.dtype([("tokens", "<u4"), ("characters", "<u4"), ("label", "<u4"), ("begins", "u1")])
"""A segment is what a piece of a document adds to a sentence: usually all of it. Labels have numbers from 1."""

BEGINS_SENTENCE = 1
BEGINS_DOCUMENT = 2


class EncodedChunk(NamedTuple):
    """Some pieces of documents, tokenized: ids stand for positions in `types`, the numbers of labels in `labels`.

    `documents` counts those that begin here, with tokens or without; `pending` holds the flags of a beginning that
    no token has followed yet; `characters` counts those of the text.
    """

    types: list[str]
    labels: list[str]
    ids: NDArray[np.uint32]
    segments: NDArray[Any]
    documents: int
    pending: int
    characters: int


def encode_pieces(processor: TextProcessor, pieces: Iterable[Piece]) -> EncodedChunk:
    """Tokenize pieces of documents."""
    positions: defaultdict[str, int] = defaultdict(count().__next__)
    labels: defaultdict[str, int] = defaultdict(count(1).__next__)
    ids: list[int] = []
    segments = []
    documents = pending = characters = 0
    for piece in pieces:
        characters += len(piece.text)
        if piece.begins_document:
            documents += 1
            pending = BEGINS_DOCUMENT | BEGINS_SENTENCE
        for sentence in processor.sentence_texts(piece.text):
            if processor.settings.sentences:
                pending |= BEGINS_SENTENCE
            tokens = processor.tokenize_sentence(sentence)
            if tokens:
                ids.extend(map(positions.__getitem__, tokens))
                label = 0 if piece.label is None else labels[piece.label]
                segments.append((len(tokens), processor.characters(sentence), label, pending))
                pending = 0
    arrays = np.array(ids, np.uint32), np.array(segments, SEGMENT)
    return EncodedChunk(list(positions), list(labels), *arrays, documents, pending, characters)


def encode_documents(
    pieces: Iterable[Piece], processor: TextProcessor, workers: int, progress: Callable[[int], object]
) -> Generator[EncodedChunk, None, None]:
    """Tokenize documents, in order, with as many processes as `workers`; the result is the same for any number.

    `progress` is called with the number of characters of each chunk when it is done.
    """
    if processor.settings.keep_lines:
        pieces = _with_inner_line_ends(pieces)
    encode = partial(encode_pieces, processor)
    with closing(map_in_order(encode, _chunks(pieces), workers)) as chunks:
        for chunk in chunks:
            yield chunk
            progress(chunk.characters)


def _with_inner_line_ends(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Leave out the line ends around documents; let those between two pieces begin the second."""
    between, has_begun = "", False
    for text, begins_document, label in pieces:
        has_begun = has_begun and not begins_document
        whole = between + text if has_begun else text.lstrip()
        text = whole.rstrip()
        between = LINE_END * min(len(LINE_ENDS.findall(whole, len(text))), MOST_LINE_ENDS)
        has_begun = has_begun or bool(text)
        yield Piece(text, begins_document, label)


def _chunks(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    chunk: list[Piece] = []
    size = 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece.text) + 1  # so that empty documents fill a chunk too
        if size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
