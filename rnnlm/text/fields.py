"""The fields of records: which ones hold the text, and what is in them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.cleaning import DELETED

USUAL_FIELDS = ("body", "text", "content")
SUBMISSION_FIELDS = ("title", "selftext")
"""The fields that a submission to Reddit has instead of a body."""
LONGEST_LABEL = 200
"""Characters; what is longer is a text."""

Path: TypeAlias = tuple[str, ...]
"""A field, or a field in the object that a field holds, and so on."""

LONGEST_LABEL = 200
"""Characters of a label, at most: a column of longer ones holds texts."""


class Record(NamedTuple):
    """The values of a row or a JSON object, the number of its line, and about how many characters it has."""

    values: Mapping[str, Any]
    number: int
    characters: int = 0


class Records(NamedTuple):
    """The records of a file.

    `reading` says how they are read; `columns` names their fields, or is None where each has its own.
    """

    reading: str
    columns: Sequence[str] | None
    records: Iterator[Record]


def find_field(name: str, fields: Collection[str]) -> str | None:
    """Return the field of a name, else the first whose name differs only in case and surrounding space."""
    if name in fields:
        return name
    plain = name.strip().casefold()
    return next((field for field in fields if field.strip().casefold() == plain), None)


def wanted_names(text_column: str | None) -> Sequence[str]:
    """Return the names that a field with the text may have: those given, or the usual ones."""
    return USUAL_FIELDS if text_column is None else (text_column, *text_column.split(","))


def find_path(name: str, fields: Collection[str], first: Iterable[Record]) -> Path | None:
    """Return the path to the field of a name, perhaps a dotted one such as ``data.body``, in the first records."""
    field = find_field(name, fields)
    if field is not None:
        return (field,)
    if "." in name:
        return next(filter(None, (_nested(record.values, name.split(".")) for record in first)), None)
    return None


def _nested(values: Any, names: Sequence[str]) -> Path | None:
    path = []
    for name in names:
        field = find_field(name, values) if isinstance(values, Mapping) else None
        if field is None:
            return None
        path.append(field)
        values = values[field]
    return tuple(path)


def value_of(values: Any, path: Path, missing: object = None) -> Any:
    """Return the value of a field, or `missing` if the record does not have it."""
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return missing
        values = values[key]
    return values


def has_field(values: Mapping[str, Any], path: Path) -> bool:
    """Return whether a record has a field, with whatever value."""
    missing = object()
    return value_of(values, path, missing) is not missing


def as_record(value: object) -> Mapping[str, Any] | None:
    """Return the fields of a JSON value: those of an object, and one of a string alone; None for other values."""
    if isinstance(value, str):
        return {"text": value}
    return value if isinstance(value, dict) else None


def as_text(value: object) -> str | None:
    """Return a text, or the text of a list of pieces such as Telegram's; None for other values."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        pieces = [piece.get("text") if isinstance(piece, Mapping) else piece for piece in value]
        texts = [piece for piece in pieces if isinstance(piece, str)]
        return "".join(texts) if len(texts) == len(pieces) else None
    return None


def text_of(values: Mapping[str, Any], paths: Sequence[Path]) -> str | None:
    """Return the text of a record, several fields joined as lines; None if it has none of them."""
    if len(paths) == 1:
        return as_text(value_of(values, paths[0]))
    texts = [text for text in (as_text(value_of(values, path)) for path in paths) if text is not None]
    return "\n".join(text for text in texts if text and not DELETED.fullmatch(text.strip())) if texts else None


def label_of(values: Mapping[str, Any], path: Path) -> str | None:
    """Return the label in a field as it stands there, a truth value as JSON writes it; None where there is none.

    Raises
    ------
    ValueError
        If the value is a list or an object, or longer than `LONGEST_LABEL`.
    """
    value = value_of(values, path)
    if isinstance(value, list | Mapping):
        raise ValueError(f"the label {shown(value)} is not a text")
    label = "" if value is None else " ".join(_written(value).split())
    if len(label) > LONGEST_LABEL:
        raise ValueError(f"the label {shown(label)} has more than {LONGEST_LABEL} characters")
    return label or None


def text_paths(
    wanted: str | None, columns: Sequence[str], first: Sequence[Record], are_all: bool, source: str
) -> list[Path]:
    """Return the fields that hold the text.

    `wanted` names the field, or several with commas between them; None is for a usual one, else the only field.
    `columns` are the fields of the first records; `are_all` says whether all records have them, as in a table.

    Raises
    ------
    RnnlmError
        If a wanted field is not there, or none is wanted and it is not clear which one it is.
    """
    if wanted is not None:
        whole = find_path(wanted, columns, first)
        if whole:
            return [whole]
        names = [name.strip() for name in wanted.split(",")]
        found = [find_path(name, columns, first) for name in names]
        if are_all and None in found:
            raise missing_field(names[found.index(None)], columns, first, are_all, source)
        # A later record may have it.
        return [path or tuple(name.split(".")) for name, path in zip(names, found, strict=True)]
    # Fields without text, such as the header of an export, do not decide.
    holding = {name for record in first for name, value in record.values.items() if as_text(value) is not None}
    for fields in ([] if are_all else [column for column in columns if column in holding], columns):
        for name in USUAL_FIELDS:
            field = find_field(name, fields)
            if field is not None:
                return [(field,)]
    if len(columns) == 1 and (are_all or columns[0] in holding):
        return [(columns[0],)]
    raise missing_field(None, columns, first, are_all, source)


def missing_field(
    wanted: str | None, columns: Sequence[str], first: Sequence[Record], are_all: bool, source: str
) -> RnnlmError:
    """Return the error that names the missing field with the text, and the fields that there are."""
    names = ", ".join(repr(name[:40]) for name in columns[:8]) + (", ..." if len(columns) > 8 else "")
    there = f", only {names}" if columns else ""
    missing = repr(wanted) if wanted else "'body', 'text' or 'content'"
    choice = "NAME"
    if wanted is None:
        submission = [find_field(name, columns) for name in SUBMISSION_FIELDS]
        if None not in submission:
            choice = ",".join(filter(None, submission))
        else:
            choice = next(usual_inside(first), choice)
    advice = f"choose what holds the text with `text_column={choice}`"
    if are_all and columns == [str(number) for number in range(1, len(columns) + 1)]:
        advice = "choose one by its number with `text_column`"
    elif are_all and any(" " in name.strip() or name.strip().isdigit() for name in columns):
        advice += "; if the first row names no columns, say so with `header=False`"
    noun = "column" if are_all else "field"
    return RnnlmError(f"{source}: there is no {noun} {missing}{there}; {advice}.")


def usual_inside(records: Iterable[Record]) -> Iterator[str]:
    """Name the usual fields with text in the objects that fields hold."""
    for record in records:
        for name, value in record.values.items():
            for field in value if isinstance(value, Mapping) else ():
                if field in USUAL_FIELDS and as_text(value[field]) is not None:
                    yield f"{name}.{field}"


class Conditions:
    """Chooses the records for which all conditions such as ``subreddit=askscience`` hold.

    Numbers and truth values are compared as text. Raises `RnnlmError` if one is not of this form.
    """

    def __init__(self, where: Sequence[str]) -> None:
        self._wanted: list[tuple[str, str]] = []
        for condition in where:
            name, equals, value = condition.partition("=")
            if not (name and equals):
                raise RnnlmError(f"`where={shown(condition)}` must be of the form FIELD=VALUE.")
            self._wanted.append((name, value))
        self._found: set[str] = set()
        self._fields: list[str] = []

    @property
    def names(self) -> list[str]:
        """The fields that are looked at."""
        return [name for name, _ in self._wanted]

    def paths(self, columns: Sequence[str], first: Sequence[Record]) -> list[Path]:
        """Return where the fields are in the records of a file."""
        self._fields = self._fields or list(columns)
        return [find_path(name, columns, first) or tuple(name.split(".")) for name in self.names]

    def hold(self, values: Mapping[str, Any], paths: Sequence[Path]) -> bool:
        """Return whether a record is chosen; `paths` are those of its file."""
        chosen = True
        for (name, wanted), path in zip(self._wanted, paths, strict=True):
            if name not in self._found and has_field(values, path):
                self._found.add(name)
            chosen = chosen and _written(value_of(values, path)) == wanted
        return chosen

    def join(self, other: "Conditions") -> None:
        """Add what was found in further records."""
        self._found |= other._found
        self._fields = self._fields or other._fields

    def check_found(self, source: str) -> None:
        """Raise `RnnlmError` if there were records, and no record of any input had one of the fields."""
        for name in self.names if self._fields else ():
            if name not in self._found:
                there = ", ".join(repr(field[:40]) for field in self._fields[:12])
                raise RnnlmError(f"{source}: no record has the field {name!r} of `where`, but {there}.")


def _written(value: object) -> str:
    """Return a value as JSON writes it, a text as it is."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
