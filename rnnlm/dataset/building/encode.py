"""Documents as chunks of ids, each with the tokens that its own ids stand for."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
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
    made = _Segments()
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
                made.add(tokens, processor.characters(sentence), piece.label, pending)
                pending = 0
    return made.chunk(documents, pending, characters)


def encode_pairs(
    target: TextProcessor, source: TextProcessor, pieces: Iterable[Piece]
) -> tuple[EncodedChunk, EncodedChunk]:
    """Tokenize pairs: their targets, and their sources; one of which a side has no token is in neither.

    Each side of a pair is one document of one sentence, so the nth of one belongs to the nth of the other.
    """
    made = _Segments(), _Segments()
    pairs, characters = 0, [0, 0]
    for piece in pieces:
        pairs += 1
        texts = piece.text, piece.source or ""
        [target_text], [source_text] = target.sentence_texts(texts[0]), source.sentence_texts(texts[1])
        tokens = target.tokenize_sentence(target_text), source.tokenize_sentence(source_text)
        if all(tokens):
            flags = BEGINS_DOCUMENT | BEGINS_SENTENCE
            made[0].add(tokens[0], target.characters(target_text), None, flags)
            made[1].add(tokens[1], source.characters(source_text), None, flags)
        for side in (0, 1):
            characters[side] += len(texts[side])
    return made[0].chunk(pairs, 0, characters[0]), made[1].chunk(pairs, 0, characters[1])


def encode_sides(processors: Sequence[TextProcessor], pieces: Iterable[Piece]) -> tuple[EncodedChunk, ...]:
    """Tokenize pieces of documents with one processor, or pairs with that of the target and that of the source."""
    if len(processors) == 1:
        return (encode_pieces(processors[0], pieces),)
    return encode_pairs(processors[0], processors[1], pieces)


def encode_documents(
    pieces: Iterable[Piece],
    processors: Sequence[TextProcessor],
    workers: int,
    progress: Callable[[int], object],
) -> Generator[tuple[EncodedChunk, ...], None, None]:
    """Tokenize documents, in order, with as many processes as `workers`; the result is the same for any number.

    There is a chunk for each of the `processors`, which are two for pairs. `progress` is called with the number of
    characters of each when it is done.
    """
    if processors[0].settings.keep_lines:
        pieces = _with_inner_line_ends(pieces)
    encode = partial(encode_sides, processors)
    with closing(map_in_order(encode, _chunks(pieces), workers)) as encoded:
        for chunks in encoded:
            yield chunks
            progress(sum(chunk.characters for chunk in chunks))


class _Segments:
    """The segments of a chunk as they are made."""

    def __init__(self) -> None:
        self._positions: defaultdict[str, int] = defaultdict(count().__next__)
        self._labels: defaultdict[str, int] = defaultdict(count(1).__next__)
        self._ids: list[int] = []
        self._segments: list[tuple[int, int, int, int]] = []

    def add(self, tokens: list[str], characters: int, label: str | None, flags: int) -> None:
        """Append the tokens of a sentence, or of a part of one."""
        self._ids.extend(map(self._positions.__getitem__, tokens))
        number = 0 if label is None else self._labels[label]
        self._segments.append((len(tokens), characters, number, flags))

    def chunk(self, documents: int, pending: int, characters: int) -> EncodedChunk:
        """Return the chunk; the arguments are those of `EncodedChunk`."""
        arrays = np.array(self._ids, np.uint32), np.array(self._segments, SEGMENT)
        return EncodedChunk(list(self._positions), list(self._labels), *arrays, documents, pending, characters)


def _with_inner_line_ends(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Leave out the line ends around documents; let those between two pieces begin the second."""
    between, has_begun = "", False
    for text, begins_document, label, _ in pieces:
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
        size += len(piece.text) + len(piece.source or "") + 1  # so that empty documents fill a chunk too
        if size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
