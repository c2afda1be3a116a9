"""Sections of a corpus: what may be read, each by itself, by different processes.

Where sections begin hangs on the inputs alone, never on who reads them, so the result is the same for any number
of processes. A file that is large, not compressed and in UTF-8 is cut at ends of lines, if each line is a document
or a JSON record. Other files are whole: a row of CSV may go on over ends of lines, which only the rows before it
tell; and compressed bytes can be read from the first on alone.
"""

import codecs
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rnnlm.text.compression import BUFFER, compression_of
from rnnlm.text.documents import is_gutenberg
from rnnlm.text.encodings import UTF8, check_encoding, encoding_of
from rnnlm.text.inputs import InputFile, Inputs, ReaderSettings
from rnnlm.text.json_records import json_lines
from rnnlm.text.lines import MAX_RECORD, WHOLE, Span
from rnnlm.text.records import have_fields
from rnnlm.text.report import ReadReport
from rnnlm.text.signatures import unreadable

SECTION_BYTES = 2 << 20
"""Small files are read together up to this size, and large ones are cut in parts of about it: seconds of work."""
MOST_SECTIONS = 1000
"""The most parts that a corpus of large files is cut into; they are larger then."""

BLOCK = 1 << 20


class Section(NamedTuple):
    """Some files of a corpus, or a part of one.

    Attributes
    ----------
    files
        The files, one after the other.
    size
        Their bytes, or those of the part: how much work it is. That of a pipe is not known.
    span
        The part of the only file.
    are_parallel
        Whether these are two files whose lines may belong together.
    can_be_read_again
        Whether any process can read it, as often as it wants; a pipe can be read once.
    """

    files: tuple[InputFile, ...]
    size: int
    span: Span = WHOLE
    are_parallel: bool = False
    can_be_read_again: bool = True


def sections(inputs: Inputs, settings: ReaderSettings) -> list[Section]:
    """Return the sections of a corpus; all is one where an input is a pipe, or where two files are parallel."""
    files = tuple(inputs.files)
    if not all(file.can_be_opened_again for file in files):
        are_parallel = settings.has_pairs and inputs.are_two_files
        return [Section(files, 1, are_parallel=are_parallel, can_be_read_again=False)]
    sizes = [Path(file.name).stat().st_size for file in files]
    if settings.has_pairs and inputs.are_two_files:
        return [Section(files, sum(sizes), are_parallel=True)]
    most = max(SECTION_BYTES, sum(sizes) // MOST_SECTIONS)
    found: list[Section] = []
    for file, size in zip(files, sizes, strict=True):
        if size > most:
            found += _cut(file, size, most, settings)
        elif found and found[-1].span == WHOLE and found[-1].size + size <= most:
            found[-1] = Section((*found[-1].files, file), found[-1].size + size)
        else:
            found.append(Section((file,), size))
    return found


def _cut(file: InputFile, size: int, most: int, settings: ReaderSettings) -> list[Section]:
    """Cut a large file, if it can be read from the beginning of any line on."""
    spans: list[Span] = []
    if _is_of_lines(file, settings):
        with open(file.name, "rb") as stream:
            spans = _spans(stream, size, most)
    return [Section((file,), span.stop - span.start, span) for span in spans] or [Section((file,), size)]


def _is_of_lines(file: InputFile, settings: ReaderSettings) -> bool:
    """Return whether a file is text in UTF-8, each line of it a record or a document whatever the others are."""
    if settings.encoding is not None and check_encoding(settings.encoding) != UTF8:
        return False
    with open(file.name, "rb") as stream:
        beginning = stream.read(BUFFER)
    if compression_of(beginning) or encoding_of(beginning) not in (None, UTF8):
        return False
    with file.open(ReadReport()) as (kind, lines):
        if lines is None:
            return False
        if kind == "jsonl":
            return have_fields(json_lines(lines), settings.text_column, settings.label_column)
        return kind == "txt" and (settings.documents or "line") == "line" and not is_gutenberg(lines)


def _spans(stream: BinaryIO, size: int, most: int) -> list[Span]:
    """Return parts of a file of about so many bytes, of whole lines; none if it is one, or not all UTF-8."""
    number = -(-size // most)
    places = [0]
    for index in range(1, number):
        place = _beginning_of_line(stream, max(size * index // number, places[-1] + 1))
        if place is not None and places[-1] < place < size:
            places.append(place)
    if len(places) == 1:
        return []
    spans, line = [], 1
    for start, stop in pairwise([*places, size]):
        spans.append(Span(start, stop, line))
        try:
            line += _count_lines(stream, start, stop)
        except UnicodeDecodeError:
            return []
    return spans


def _beginning_of_line(stream: BinaryIO, place: int) -> int | None:
    """Return where the line after a place begins, if what follows looks like text from there on, too."""
    stream.seek(place - 1)
    for _ in range(MAX_RECORD // BLOCK):
        if stream.readline(BLOCK).endswith(b"\n"):
            found = stream.tell()
            beginning = stream.read(BUFFER)
            is_text = not (compression_of(beginning) or encoding_of(beginning) or unreadable(beginning))
            return found if is_text else None
    return None


def _count_lines(stream: BinaryIO, start: int, stop: int) -> int:
    """Count the ends of lines, as Python knows them, in a part of a file; raises `UnicodeDecodeError`."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream.seek(start)
    count, last = 0, b""
    for block in _blocks(stream, stop - start):
        decoder.decode(block)
        count += block.count(b"\n")
        if b"\r" in block or last == b"\r":
            count += block.count(b"\r") - (last + block).count(b"\r\n")
        last = block[-1:]
    decoder.decode(b"", final=True)
    return count


def _blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := stream.read(min(size, BLOCK))):
        size -= len(block)
        yield block
