"""The files that inputs name, each recognized, and how they are read."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.encodings import check_encoding
from rnnlm.text.fields import Conditions
from rnnlm.text.formats import (
    FORMATS,
    PARQUET_SIGNATURE,
    are_checksums,
    format_of,
    is_dump,
    recognize,
    strip_compression,
)
from rnnlm.text.json_records import holds_texts
from rnnlm.text.lines import STDIN, WHOLE, Lines, Span, open_bytes, source_name
from rnnlm.text.processor import PAIRS, TAGGED
from rnnlm.text.report import ReadReport, counted
from rnnlm.text.tagged import check_tag_column

MOST_NAMED = 5
"""The most files of a directory that are named when they are left out."""


READABLE = ("auto", "csv", "tsv", "json", "jsonl", "txt", "parquet", *TAGGED, PAIRS, "series")
"""What a format may be called."""


@dataclass(frozen=True)
class ReaderSettings:
    """How inputs are read.

    Attributes
    ----------
    format
        ``csv``, ``tsv``, ``json``, ``jsonl``, ``txt`` or ``parquet``; ``auto`` recognizes it by the content. Or,
        never recognized, ``tagged`` (a token and its tag a line), ``segmented`` (words with spaces between them
        whose characters are tagged; see `text.tagged`), ``pairs`` (see `text.pairs`) or ``series`` (numbers; see
        `text.series`).
    documents
        What one document of a text file is: a ``line``, a ``paragraph`` (up to an empty line), the
        ``file``, or the text between lines that are equal to any other value. None for what suits the tokens
        where they are known (`TextSettings.default_documents`), else for a line.
    text_column
        The column (the first row names them) or JSON field that holds the text, such as ``data.body`` inside an
        object; several with commas between them are joined as lines. None for ``body``, else ``text``, else
        ``content``, else the only one.
    label_column
        The column or field with the label of each record; None reads no labels.
    delimiter
        The character between the fields of csv; ``auto`` finds it in the first rows.
    quoting
        Whether fields of csv may be quoted; None to find it out.
    header
        Whether the first row of csv names the columns; they are called 1, 2 and so on if not.
    where
        Conditions such as ``subreddit=askscience``; records for which one does not hold are left out.
    encoding
        The encoding; None to recognize it.
    keep_damaged
        Whether to keep what comes before a damaged place; if not, damage is an error.
    tag_column
        With the format ``tagged``, the column that holds the tag: its number, from 1, or in CoNLL-U its name. None
        for the last one, in CoNLL-U for ``upos``.
    """

    format: str = "auto"
    documents: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    delimiter: str = "auto"
    quoting: bool | None = None
    header: bool = True
    where: tuple[str, ...] = ()
    encoding: str | None = None
    keep_damaged: bool = False
    tag_column: str | None = None

    def check(self) -> None:
        """Raise `RnnlmError` if one of the settings is not valid."""
        Conditions(self.where)
        if self.format not in READABLE:
            raise RnnlmError(f"`format={self.format}` is not known; give one of {', '.join(READABLE)}.")
        if self.label_column is not None and self.has_pairs:
            raise RnnlmError(f"`label_column` is for records, but `format={PAIRS}` has none; leave it out.")
        if self.tag_column is not None:
            if self.format != "tagged":
                raise RnnlmError("`tag_column` is for `format=tagged`; leave it out, or set that.")
            check_tag_column(self.tag_column)
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.separator is not None and (len(self.separator) != 1 or self.separator in '"\r\n'):
            raise RnnlmError(f"`delimiter={shown(self.delimiter)}` must be one character, tab or auto.")
        if self.documents is not None and not self.documents.strip():
            raise RnnlmError("`documents` must be line, paragraph, file, or the line that separates documents.")

    @property
    def has_tags(self) -> bool:
        """Whether tokens are given, with their tags."""
        return self.format in TAGGED

    @property
    def has_pairs(self) -> bool:
        """Whether texts come in pairs, a source and its target."""
        return self.format == PAIRS

    def names(self, name: str) -> list[str]:
        """Return the inputs that one name stands for: of pairs, ``SOURCE,TARGET`` are two parallel files."""
        is_one = not self.has_pairs or Path(name).exists()
        return [name] if is_one else name.split(",")

    @property
    def separator(self) -> str | None:
        """The character between fields if it is known."""
        if self.delimiter == "auto":
            return "\t" if self.format == "tsv" else None
        return "\t" if self.delimiter in ("tab", "\\t") else self.delimiter

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data: the first three, and those that differ from their default."""
        always = ("format", "documents", "text_column")
        defaults = {field.name: field.default for field in fields(self)}
        values = asdict(self)
        return {name: value for name, value in values.items() if name in always or value != defaults[name]}


class InputFile:
    """A file, or standard input (``-``), that is recognized when its format is asked for."""

    def __init__(self, name: str, settings: ReaderSettings, report: ReadReport) -> None:
        self.name = name
        self.settings = settings
        self._report = report
        # A pipe can be opened only once: it stays open from the look at its beginning until it is read.
        self._held: tuple[ExitStack, str, Lines | None] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process open the file; a pipe stays where it is."""
        return InputFile, (self.name, self.settings, ReadReport()), {"format": self.format}

    @cached_property
    def format(self) -> str:
        """``csv``, ``json``, ``jsonl``, ``txt`` or ``parquet``; ``tagged`` or such a name if the settings say so.

        Raises
        ------
        RnnlmError
            If the file cannot be opened, or has none of these formats.
        """
        if self.settings.format != "auto":
            return "csv" if self.settings.format == "tsv" else self.settings.format
        with ExitStack() as stack:
            again = self.can_be_opened_again
            kind, lines = stack.enter_context(self._opened(ReadReport() if again else self._report, WHOLE))
            if not again:
                self._held = stack.pop_all(), kind, lines
        return kind

    @property
    def can_be_opened_again(self) -> bool:
        """Whether it can be read more than once, and by any process."""
        return self.name != STDIN and Path(self.name).is_file()

    @contextmanager
    def open(self, report: ReadReport, span: Span = WHOLE) -> Iterator[tuple[str, Lines | None]]:
        """Give the file's format and its lines, or those of a part of it; Parquet has none."""
        kind = self.format
        if self._held:
            stack, kind, lines = self._held
            self._held = None
            with stack:
                yield kind, lines
        else:
            with self._opened(report, span) as (kind, lines):
                yield kind, lines

    @contextmanager
    def _opened(self, report: ReadReport, span: Span) -> Iterator[tuple[str, Lines | None]]:
        settings = self.settings
        kind = settings.format if span == WHOLE else self.format  # which its beginning shows
        with open_bytes(self.name, report, keep_damaged=settings.keep_damaged, span=span) as stream:
            if kind == "parquet" or (kind == "auto" and stream.peek(4).startswith(PARQUET_SIGNATURE)):
                if stream.content.compression is not None or not self.can_be_opened_again:
                    raise RnnlmError(
                        f"{source_name(self.name)}: Parquet cannot be read from a pipe or a compressed file; give"
                        " the file itself."
                    )
                yield "parquet", None
                return
            any_text = kind != "auto"
            lines = Lines(stream, source_name(self.name), report, settings.encoding, any_text, span.line)
            yield recognize(lines, self.name, settings.text_column) if kind == "auto" else self.format, lines


class Inputs(list[str]):
    """Names of files, directories, or ``-`` for standard input; `files` are the files that they stand for.

    Directories are walked, sorted.

    Raises
    ------
    RnnlmError
        If an input does not exist, or a directory holds nothing to read.
    """

    def __init__(self, names: Sequence[str], settings: ReaderSettings, report: ReadReport) -> None:
        settings.check()
        super().__init__(names)
        self._settings = settings
        self._report = report
        self.files = [file for name in names for file in self._files(name)]

    @property
    def are_two_files(self) -> bool:
        """Whether two files are named, which may be parallel."""
        return len(self) == 2 and self == [file.name for file in self.files]

    @property
    def formats(self) -> list[str]:
        """The format of each file."""
        return [file.format for file in self.files]

    def _files(self, name: str) -> list[InputFile]:
        path = Path(name)
        if name == STDIN or path.is_file() or path.is_fifo() or path.is_char_device():
            return [InputFile(name, self._settings, self._report)]
        if not path.is_dir():
            raise RnnlmError(f"{name}: there is no such file or directory.")
        found = sorted(str(file) for file in path.rglob("*") if file.is_file())
        chosen = {file for file in found if self._holds_texts(file, path)}
        if not chosen:
            raise RnnlmError(
                f"{name}: there is no {', '.join(FORMATS)} file (or a compressed one) in this directory, and none"
                " of records with another name."
            )
        left_out = [str(Path(file).relative_to(path)) for file in found if file not in chosen]
        if left_out:
            others = len(left_out) - MOST_NAMED
            some = ", ".join(left_out[:MOST_NAMED]) + (f" and {others:,} more" if others > 0 else "")
            self._report.note(
                f"{name}: {counted(len(left_out), 'file{s}')} left out that may not be text: {some}."
            )
        return [InputFile(file, self._settings, self._report) for file in found if file in chosen]

    def _holds_texts(self, name: str, directory: Path) -> bool:
        """Return whether a file in a directory is to be read."""
        if any(part.startswith(".") for part in Path(name).relative_to(directory).parts):
            return False
        by_name = format_of(name)
        if is_dump(name) or by_name not in (None, "json", "txt"):
            return True
        if self._settings.has_pairs:
            return by_name == "txt"
        if self._settings.has_tags:
            return by_name == "txt" or Path(strip_compression(name)).suffix.lower() in (".conll", ".conllu")
        # A directory may hold anything; what is left out is named.
        with (
            suppress(RnnlmError),
            InputFile(name, self._settings, ReadReport()).open(ReadReport()) as (kind, lines),
        ):
            if lines is not None and by_name == "txt":
                return not are_checksums(lines.beginning)
            if lines is not None and kind in ("json", "jsonl"):
                return holds_texts(lines, self._settings.text_column)
            return kind in ("csv", "parquet")
        return by_name == "txt"
