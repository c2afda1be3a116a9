"""Records of JSON: one a line, or in a list somewhere in a document, as the first characters show."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeAlias

from rnnlm.text.fields import (
    Path,
    Record,
    Records,
    as_record,
    as_text,
    find_field,
    missing_field,
    usual_inside,
    wanted_names,
)
from rnnlm.text.json_stream import EACH, EACH_VALUE, JsonStream, parse, path_name
from rnnlm.text.lines import Lines

FIRST_CHARACTERS = 1 << 18
"""How much of a document is searched for lists of records."""
FIRST_LINES_CHARACTERS, FIRST_LINES = 1 << 16, 10
"""How much, and how many lines, tell JSON lines from a document."""

STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|([\[\]{},:"])', re.DOTALL)
"""What shows where a document may be cut: separators outside of strings, brackets, an unclosed string."""
DEEPEST = 100
"""Nested lists and objects; Python's parser goes somewhat deeper."""
CLOSING = {"[": "]", "{": "}"}

Lists: TypeAlias = dict[Path, list[Mapping[str, Any]]]
"""The lists of objects in a document, the outermost first: their paths and their first objects."""


def recognize_json(lines: Lines, named_lines: bool) -> str | None:
    """Return whether a text is ``jsonl`` or ``json``, or None if it is neither; no line is taken.

    If its name says that it is JSON lines, one of them is enough, whatever follows.
    """
    text = _beginning(lines, FIRST_LINES_CHARACTERS)
    whole = [line for line in re.findall(r"[^\n]+\n?", text) if not line.isspace()]
    if len(text) >= FIRST_LINES_CHARACTERS and len(whole) > 1:
        whole.pop()
    objects = [_is_object(line) for line in whole[:FIRST_LINES]]
    many = objects[0] and len(objects) > 1 and (named_lines or sum(objects) * 2 >= len(objects))
    all_but_first = len(objects) > 2 and all(objects[1:])
    if many or all_but_first:
        return "jsonl"
    tree, is_sound = _first_values(lines)
    if isinstance(tree, dict) and tree and (is_sound or _lists(tree)):
        return "jsonl" if objects == [True] and not (_lists(tree) or _are_objects(tree)) else "json"
    if isinstance(tree, list) and (_objects(tree) or (is_sound and _are_strings(tree))):
        return "json"
    return None


def may_be_json(beginning: str) -> bool:
    """Return whether the first characters of a text are worth a look at more of them: as JSON, or JSON lines."""
    return beginning.lstrip().startswith(("{", "[")) or any(map(_is_object, beginning.split("\n")[:FIRST_LINES]))


def json_lines(lines: Lines) -> Records:
    """Open JSON lines as records; a line that holds no object is reported."""
    return Records("JSON lines", None, _line_records(lines))


def json_document(lines: Lines, wanted: str | None, keep_damaged: bool) -> Records:
    """Open the records of a JSON document: the objects of a list in it, or those that it consists of.

    If there are several lists, the outermost one whose objects have the text is taken; the others are reported.
    `wanted` is the field with the text; None for a usual one.
    """
    names = wanted_names(wanted)
    tree, _ = _first_values(lines)
    lists = {} if isinstance(tree, dict) and _has_text(tree, names) else _lists(tree)
    path = _path_of_text(tree, lists, names)
    stream = JsonStream(lines)
    if path is None:
        # Another list may follow; if none does, the error says what is in one of these.
        path = next((each for each in lists if any(usual_inside(_records_of(lists[each])))), next(iter(lists)))
        if len(_beginning(lines, FIRST_CHARACTERS)) >= FIRST_CHARACTERS:
            records = stream.search(lambda record: _has_text(record.values, names), keep_damaged)
            first = list(islice(records, 1))
            if not first:
                raise missing_field(wanted, list(lists[path][0]), _records_of(lists[path]), False, lines.source)
            return Records(_reading(stream.found or path), None, chain(first, records))
    # Lists within the records do not count.
    inside = path[:-1] if path[-1:] == (EACH_VALUE,) else path
    for other in lists:
        if EACH not in other[:-1] and other != path[: len(other)] and other[: len(inside)] != inside:
            lines.report(f"list{{s}} of records left out, {path_name(other)!r}", 1)
    return Records(_reading(path), None, stream.records(path, keep_damaged))


def _path_of_text(tree: object, lists: Lists, names: Collection[str]) -> Path | None:
    """Return the path to the records with the text, the outermost; None if there are lists, but none has it."""
    with_text = (path for path, objects in lists.items() if any(_has_text(each, names) for each in objects))
    found = [path for path in (next(with_text, None), _values_with_text(tree, names)) if path]
    if found:
        return min(found, key=len)
    if lists:
        return None
    return (EACH,) if isinstance(tree, list) else ()


def _reading(path: Path) -> str:
    if not path:
        return "JSON objects"
    name = path_name(path)
    if path[-1] == EACH_VALUE:
        return f"the values of the JSON object {name!r}" if name else "the values of a JSON object"
    return f"the JSON list {name!r}" if name else "a JSON list"


def holds_texts(lines: Lines, wanted: str | None) -> bool:
    """Return whether the first objects of a document, or of JSON lines, have the field with the text."""
    (tree, _), names = _first_values(lines), wanted_names(wanted)
    objects = [each for of_list in _lists(tree).values() for each in of_list]
    has_text = any(_has_text(each, names) for each in _objects([tree, *objects]))
    return has_text or _values_with_text(tree, names) is not None


def _line_records(lines: Lines) -> Iterator[Record]:
    for line in lines.whole():
        if line.isspace():
            continue
        values = as_record(_parsed(line))
        if values is not None:
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


def _is_object(line: str) -> bool:
    return line.lstrip().startswith("{") and isinstance(_parsed(line), dict)


def _beginning(lines: Lines, characters: int) -> str:
    parts, length = [], 0
    for part in lines.first_parts():
        parts.append(part)
        length += len(part)
        if length >= characters:
            break
    return "".join(parts)


def _first_values(lines: Lines) -> tuple[object, bool]:
    """Return the values that a document begins with, None if it is not JSON, and whether it is sound so far."""
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
            # Brackets that were open at the last cut and still are need not be noted again.
            open_at_cut[depth:] = brackets[depth:]
            depth = len(brackets)
            cut, follows = (match.start(), "") if mark == "," else (match.end(), "null")
    return text[:cut] + follows + "".join(reversed(open_at_cut))


def _objects(values: Iterable[object]) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, dict)]


def _are_objects(tree: Mapping[str, Any]) -> bool:
    return len(tree) > 1 and all(isinstance(value, dict) for value in tree.values())


def _are_strings(tree: Sequence[object]) -> bool:
    return len(tree) > 0 and all(isinstance(value, str) for value in tree)


def _records_of(objects: Iterable[Mapping[str, Any]]) -> list[Record]:
    return [Record(values, 1) for values in objects]


def _values_with_text(tree: object, names: Collection[str]) -> Path | None:
    """Return the path to records that are the values of an object, as those under their numbers, or None."""
    if not isinstance(tree, dict) or _has_text(tree, names):
        return None
    objects = {(): tree} | {(key,): value for key, value in tree.items() if isinstance(value, dict)}
    for path, values in objects.items():
        with_text = [each for each in _objects(values.values()) if _has_text(each, names)]
        if len(with_text) >= max(2, len(values) - 1):  # the last one may be cut
            return (*path, EACH_VALUE)
    return None


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
