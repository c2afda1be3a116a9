"""The first pass over a corpus: every token, as a provisional id, on disk.

Text is read and tokenized once, so that standard input works too. The types (distinct tokens) get
provisional ids in the order of their first appearance; what is known of them only at the end, such as whether
they are in the vocabulary, is applied to the spooled ids in a second pass.
"""

import multiprocessing
import os
import signal
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.readers import Piece

# Characters of text that are processed at a time: about a second's work, which is how long a stop may take.
CHUNK_CHARACTERS = 1 << 16
# When there are more types than this, or more characters in them, the rarest are forgotten (counted as
# unknown), as word2vec does.
MAX_TYPES = 750_000
MAX_TYPE_CHARACTERS = 30_000_000
FORGOTTEN = 0
# How much of the spool is read back at a time.
BLOCK_SEGMENTS = 1 << 16
BLOCK_TOKENS = 1 << 20

ID = np.dtype("<u4")

# A segment is what a piece of a document adds to a sentence: usually all of it.
SEGMENT = np.dtype([("tokens", "<u4"), ("characters", "<u4"), ("begins", "u1")])
BEGINS_SENTENCE = 1
BEGINS_DOCUMENT = 2


class EncodedChunk(NamedTuple):
    """Some pieces of documents, tokenized: ids stand for positions in `types`.

    `documents` counts those that begin here, with tokens or without; `pending` holds the flags of a beginning that
    no token has followed yet.
    """

    types: list[str]
    ids: NDArray[np.uint32]
    segments: NDArray[Any]
    documents: int
    pending: int


def encode_pieces(processor: TextProcessor, pieces: Iterable[Piece]) -> EncodedChunk:
    """Tokenize pieces of documents."""
    positions: defaultdict[str, int] = defaultdict(count().__next__)
    ids: list[int] = []
    segments = []
    documents = pending = 0
    splits_sentences = processor.settings.sentences
    for piece in pieces:
        if piece.begins_document:
            documents += 1
            pending = BEGINS_DOCUMENT | BEGINS_SENTENCE
        for sentence in processor.sentence_texts(piece.text):
            if splits_sentences:
                pending |= BEGINS_SENTENCE
            tokens = processor.tokenize_sentence(sentence)
            if tokens:
                ids.extend(map(positions.__getitem__, tokens))
                segments.append((len(tokens), len(sentence), pending))
                pending = 0
    types = list(positions)
    return EncodedChunk(types, np.array(ids, np.uint32), np.array(segments, SEGMENT), documents, pending)


def encode_documents(
    pieces: Iterable[Piece], settings: TextSettings, workers: int, progress: Callable[[int], object]
) -> Generator[EncodedChunk, None, None]:
    """Tokenize documents, in order, with one process or several; the result is the same.

    Parameters
    ----------
    pieces : iterable of Piece
        The documents.
    settings : TextSettings
        How text becomes tokens.
    workers : int
        Processes that tokenize; with 1 it is done in this one.
    progress : callable
        Called with the number of characters of each chunk when it is done.
    """
    if workers == 1:
        processor = TextProcessor(settings)
        for chunk in _chunks(pieces):
            yield encode_pieces(processor, chunk)
            progress(_characters(chunk))
        return
    with _pool(workers, settings) as pool:
        running: deque[tuple[Future[EncodedChunk], int]] = deque()
        for chunk in _chunks(pieces):
            with _stops_held_back():
                future = pool.submit(_encode_in_worker, chunk)
            running.append((future, _characters(chunk)))
            if len(running) > 2 * workers:
                yield from _finish(running, progress)
        while running:
            yield from _finish(running, progress)


def _finish(
    running: "deque[tuple[Future[EncodedChunk], int]]", progress: Callable[[int], object]
) -> Iterator[EncodedChunk]:
    future, characters = running.popleft()
    yield future.result()
    progress(characters)


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


def _characters(chunk: list[Piece]) -> int:
    return sum(len(piece.text) for piece in chunk)


@contextmanager
def _pool(workers: int, settings: TextSettings) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")  # forking is not safe beside NumPy's threads
    pool = ProcessPoolExecutor(workers, context, _start_worker, (settings,))
    try:
        yield pool
    except BrokenProcessPool as error:  # of a result or of the next chunk, whichever comes first
        raise RnnlmError("A worker process died, perhaps for want of memory; use fewer --workers.") from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _stops_held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait while a worker may be started, which else would complain of half a start.

    The worker inherits that Ctrl-C is blocked: the main process alone acts on it, and then ends the workers.
    """
    if threading.current_thread() is not threading.main_thread():  # the only one that signals stop
        yield
        return
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.signal(number, lambda number, frame: held.append(number)) for number in numbers]
    # Blocking alone would not do for this process: another of its threads would take the signal.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if os.name != "nt" else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])


def _start_worker(settings: TextSettings) -> None:
    global _worker_processor
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker_processor = TextProcessor(settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


_worker_processor: TextProcessor


def _encode_in_worker(pieces: list[Piece]) -> EncodedChunk:
    return encode_pieces(_worker_processor, pieces)


class Part(NamedTuple):
    """What one input added to the spool: where it begins, and how much of everything it holds.

    `documents` are those with tokens, `empty_documents` those without.
    """

    first_segment: int
    first_token: int
    segments: int
    documents: int
    empty_documents: int
    sentences: int
    tokens: int


class Block(NamedTuple):
    """Some consecutive segments and the ids in them."""

    segments: NDArray[Any]
    ids: NDArray[np.uint32]


class Spool:
    """Provisional ids and segments of a corpus, in two files.

    Parameters
    ----------
    directory : Path
        Where the files are made; they are removed on leaving the context.

    Attributes
    ----------
    types : dict of str to int
        Provisional ids; 0 stands for all types that were forgotten.
    forgot_types : bool
        Whether there were more types than are kept.
    """

    def __init__(self, directory: Path):
        self.types: dict[str, int] = {}
        self.forgot_types = False
        self._counts = np.zeros(1, np.int64)
        self._type_characters = 0
        self._paths = directory / "spool.ids", directory / "spool.segments"
        with ExitStack() as stack:  # which closes the first if the second cannot be opened
            self._ids, self._segments = (stack.enter_context(path.open("w+b")) for path in self._paths)
            self._files = stack.pop_all()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exception: object) -> None:
        self._files.close()  # both, even if the disk is full
        for path in self._paths:
            path.unlink()

    def add(self, chunks: Iterable[EncodedChunk]) -> Part:
        """Append the chunks of one input."""
        first_segment = self._segments.seek(0, os.SEEK_END) // SEGMENT.itemsize
        first_token = self._ids.seek(0, os.SEEK_END) // ID.itemsize
        segments = begun = documents = sentences = tokens = pending = 0
        for chunk in chunks:
            begins = chunk.segments["begins"]
            if len(begins):
                begins[0] |= pending
                pending = 0
            pending |= chunk.pending
            provisional = self._number(chunk.types)
            self._counts.resize(len(self.types) + 1, refcheck=False)
            self._counts[provisional] += np.bincount(chunk.ids, minlength=len(provisional))
            self._ids.write(provisional[chunk.ids].tobytes())
            self._segments.write(chunk.segments.tobytes())
            segments += len(begins)
            begun += chunk.documents
            documents += int(np.count_nonzero(begins & BEGINS_DOCUMENT))
            sentences += int(np.count_nonzero(begins & BEGINS_SENTENCE))
            tokens += len(chunk.ids)
            if len(self.types) > MAX_TYPES or self._type_characters > MAX_TYPE_CHARACTERS:
                self._forget_rare_types()
        return Part(first_segment, first_token, segments, documents, begun - documents, sentences, tokens)

    def blocks(self, part: Part) -> Iterator[Block]:
        """Read a part back, about a million tokens at a time."""
        segment, token = part.first_segment, part.first_token
        left = part.segments
        while left:
            segments = _read(self._segments, SEGMENT, segment, min(left, BLOCK_SEGMENTS))
            ends = np.cumsum(segments["tokens"], dtype=np.int64)
            segments = segments[: max(1, int(np.searchsorted(ends, BLOCK_TOKENS, side="right")))]
            tokens = int(ends[len(segments) - 1])
            yield Block(segments, _read(self._ids, ID, token, tokens))
            segment += len(segments)
            token += tokens
            left -= len(segments)

    def _number(self, types: list[str]) -> NDArray[np.uint32]:
        known = self.types
        numbered_before = len(known)
        provisional = [known.setdefault(token, len(known) + 1) for token in types]
        self._type_characters += sum(
            len(token) for token, number in zip(types, provisional, strict=True) if number > numbered_before
        )
        return np.array(provisional, np.uint32)

    def _forget_rare_types(self) -> None:
        """Forget the types seen fewest times, at least half of them, and renumber the rest."""
        self.forgot_types = True
        lengths = np.array([0, *map(len, self.types)])
        threshold, kept = 1, self._counts > 1
        kept[FORGOTTEN] = False
        while np.count_nonzero(kept) > MAX_TYPES // 2 or lengths[kept].sum() > MAX_TYPE_CHARACTERS // 2:
            threshold += 1
            kept &= self._counts > threshold
        renumbered = np.where(kept, np.cumsum(kept), FORGOTTEN).astype(np.uint32)
        self.types = {token: int(renumbered[old]) for token, old in self.types.items() if kept[old]}
        self._counts = np.concatenate([[0], self._counts[kept]])
        self._type_characters = int(lengths[kept].sum())
        token = 0
        while len(ids := _read(self._ids, ID, token, BLOCK_TOKENS)):
            self._ids.seek(token * ID.itemsize)
            self._ids.write(renumbered[ids].tobytes())
            token += len(ids)


def _read(file: BinaryIO, dtype: "np.dtype[Any]", first: int, count: int) -> NDArray[Any]:
    """Read entries of a file; afterwards the position is at the end of them."""
    file.seek(first * dtype.itemsize)
    return np.frombuffer(bytearray(file.read(count * dtype.itemsize)), dtype)


def take_prefix(pieces: Iterator[Piece], characters: int) -> tuple[list[Piece], Iterator[Piece]]:
    """Return the first pieces, of about so many characters, and an iterator over all of them."""
    prefix: list[Piece] = []
    size = 0
    for piece in pieces:
        prefix.append(piece)
        size += len(piece.text)
        if size >= characters:
            break
    return prefix, chain(prefix, pieces)
