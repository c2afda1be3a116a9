"""Records of JSON: one a line, or those in a list somewhere in a document, which the first characters show."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, TypeAlias

from rnnlm.text.fields import Path, Record, Records, as_text, find_field, missing_field, wanted_names
from rnnlm.text.json_stream import EACH, JsonStream, parse, path_name
from rnnlm.text.lines import Lines

# How much of a document is looked at for its lists of records.
FIRST_CHARACTERS = 1 << 18
# How much, and how many lines, to tell JSON lines from a document.
FIRST_LINES_CHARACTERS = 1 << 16
FIRST_LINES = 10

# What tells where a document may be cut: separators outside of strings, brackets, and a string without an end.
STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|([\[\]{},:"])', re.DOTALL)
# Python's parser goes some deeper.
DEEPEST = 100
CLOSING = {"[": "]", "{": "}"}

Lists: TypeAlias = dict[Path, list[Mapping[str, Any]]]
"""The lists of objects in a document, the outermost first: their paths and their first objects."""


def recognize_json(lines: Lines, named_lines: bool) -> str | None:
    """Return whether a text that begins with ``{`` or ``[`` is ``jsonl`` or ``json``, or None if it is neither.

    Parameters
    ----------
    lines
        The text, of which nothing is taken.
    named_lines
        Whether its name says that it is JSON lines; then one of them is enough, whatever follows.
    """
    text = _beginning(lines, FIRST_LINES_CHARACTERS)
    whole = [line for line in re.findall(r"[^\n]+\n?", text) if not line.isspace()]
    if len(text) >= FIRST_LINES_CHARACTERS and len(whole) > 1:
        whole.pop()
    objects = [isinstance(_parsed(line), dict) for line in whole[:FIRST_LINES]]
    if objects[0] and len(objects) > 1 and (named_lines or sum(objects) * 2 >= len(objects)):
        return "jsonl"
    tree, is_sound = _first_values(lines)
    if isinstance(tree, dict) and tree and (is_sound or _lists(tree)):
        return "jsonl" if objects == [True] and not _lists(tree) else "json"
    return "json" if isinstance(tree, list) and _objects(tree) else None


def json_lines(lines: Lines) -> Records:
    """Open JSON lines as records; a line that holds no object is reported."""
    return Records("JSON lines", None, _line_records(lines))


def json_document(lines: Lines, wanted: str | None, keep_damaged: bool) -> Records:
    """Open the records of a JSON document: the objects of a list in it, or those that it consists of.

    Of several lists the first is taken whose objects have the text, the outermost first; the others are reported.

    Parameters
    ----------
    lines
        The document.
    wanted
        The field with the text; None for a usual one.
    keep_damaged
        Whether what comes before a place that is no JSON is kept; it is an error if not.
    """
    names = wanted_names(wanted)
    tree, _ = _first_values(lines)
    lists = {} if isinstance(tree, dict) and _has_text(tree, names) else _lists(tree)
    with_text = (path for path, objects in lists.items() if any(_has_text(each, names) for each in objects))
    path = next(with_text, None if lists else ())
    stream = JsonStream(lines)
    if path is None:
        # There may be another list further on; if not, an error says what is in the first one.
        path = next(iter(lists))
        if len(_beginning(lines, FIRST_CHARACTERS)) >= FIRST_CHARACTERS:
            records = stream.search(lambda record: _has_text(record.values, names), keep_damaged)
            first = list(islice(records, 1))
            if not first:
                raise missing_field(wanted, list(lists[path][0]), (), False, lines.source)
            return Records(_reading(stream.found or path), None, chain(first, records))
    for other in lists:
        if EACH not in other[:-1] and other != path[: len(other)]:
            lines.report(f"list{{s}} of records left out, {path_name(other)!r}", 1)
    return Records(_reading(path), None, stream.records(path, keep_damaged))


def _reading(path: Path) -> str:
    return f"the JSON list {path_name(path)!r}" if path_name(path) else "a JSON list" if path else "JSON objects"


def holds_texts(lines: Lines, wanted: str | None) -> bool:
    """Return whether the first objects of a document, or of JSON lines, have the field with the text."""
    (tree, _), names = _first_values(lines), wanted_names(wanted)
    objects = [each for of_list in _lists(tree).values() for each in of_list]
    return any(_has_text(each, names) for each in _objects([tree, *objects]))


def _line_records(lines: Lines) -> Iterator[Record]:
    for line in lines.whole():
        if line.isspace():
            continue
        values = _parsed(line)
        if isinstance(values, dict):
            yield Record(values, lines.number, len(line))
        else:
            lines.report("line{s} that {are} not {a}JSON object{s} skipped", lines.number)


def _parsed(text: str) -> object:
    """Return the value that JSON stands for, or None."""
    text = text.strip()
    try:
        value, end = parse(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _beginning(lines: Lines, characters: int) -> str:
    parts, length = [], 0
    for part in lines.first_parts():
        parts.append(part)
        length += len(part)
        if length >= characters:
            break
    return "".join(parts)


def _first_values(lines: Lines) -> tuple[object, bool]:
    """Return as much of a document as its beginning shows, None if it is no JSON, and whether it is sound."""
    text = _beginning(lines, FIRST_CHARACTERS).lstrip()
    try:
        values, end = parse(text)
    except RecursionError:
        return _parsed(_closed(text)), False
    except json.JSONDecodeError as error:
        is_cut = error.msg.startswith("Unterminated") or not text[error.pos :].strip()
        return _parsed(_closed(text[: error.pos])), is_cut
    rest = text[end:].lstrip()
    is_sound = not rest or (rest.startswith("{") and isinstance(values, dict))
    return (values if is_sound or isinstance(values, list) else None), is_sound


def _closed(text: str) -> str:
    """Cut a document at the last comma or colon, and close what is open there."""
    cut, follows, depth = 0, "", 0
    brackets: list[str] = []
    open_at_cut: list[str] = []
    for match in STRUCTURE.finditer(text):
        mark = match[1]
        if mark is None:
            continue
        if mark == '"':
            break
        if mark in CLOSING:
            brackets.append(CLOSING[mark])
            if len(brackets) > DEEPEST:
                break
        elif mark not in ",:":
            if brackets:
                brackets.pop()
            depth = min(depth, len(brackets))
        else:
            # What was open at the last cut and is so still need not be noted once more.
            open_at_cut[depth:] = brackets[depth:]
            depth = len(brackets)
            cut, follows = (match.start(), "") if mark == "," else (match.end(), "null")
    return text[:cut] + follows + "".join(reversed(open_at_cut))


def _objects(values: Iterable[object]) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, dict)]


def _lists(tree: object) -> Lists:
    found: Lists = {}
    level: dict[Path, list[Any]] = {(): [tree]}
    while level:
        inner: dict[Path, list[Any]] = {}
        for path, values in level.items():
            for value in values:
                if isinstance(value, dict):
                    for key, of_key in value.items():
                        if isinstance(of_key, (dict, list)):
                            inner.setdefault((*path, key), []).append(of_key)
                elif isinstance(value, list) and _objects(value):
                    inner.setdefault((*path, EACH), []).extend(_objects(value))
        found |= {path: values for path, values in inner.items() if path[-1] == EACH}
        level = inner
    return found


def _has_text(values: Mapping[str, Any], names: Collection[str]) -> bool:
    for name in names:
        field = find_field(name, values)
        if field is not None:
            if as_text(values[field]) is not None:
                return True
            continue
        head, dot, rest = name.partition(".")
        inner = values.get(head)
        if dot and isinstance(inner, Mapping) and _has_text(inner, [rest]):
            return True
    return False
