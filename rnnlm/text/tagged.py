"""Text whose tokens are given with their tags: a token and its tag a line, CoNLL-U, or words between spaces.

All of it becomes pieces of lines ``token TAB tag``, whatever form it had; a sentence is a document.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.documents import Piece
from rnnlm.text.lines import PIECE_SIZE, Lines
from rnnlm.text.processor import TextProcessor, TextSettings

CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""The columns of CoNLL-U, which other files of ten columns have too; their names may be written in any case."""
MAY_BE_EMPTY = ("feats", "misc")
"""Columns in which an underscore is a value: the word has no features."""
CONLLU_ID = re.compile(r"[0-9]+(?:(?P<left_out>[-.][0-9]+))?")
"""The number of a word; words written together (1-2) and some that are not written (1.1) are left out."""
DOCUMENT_START = "-DOCSTART-"
"""Stands in CoNLL-2003 where a document begins."""

FIRST_CHARACTERS = 1 << 20
"""The first line that is no comment is looked for in this many."""

BEGIN, MIDDLE, END, SINGLE = "BMES"
"""The tags of the characters of words."""


class PairProcessor(TextProcessor):
    """Takes the tokens of lines ``token TAB tag`` as they are, the tag included."""

    def __init__(self, settings: TextSettings) -> None:
        super().__init__(replace(settings, sentences=False, punkt=None))  # sentences are given too

    def sentence_texts(self, text: str) -> Iterator[str]:
        """Yield the text: it is one sentence, or a part of one."""
        yield text

    def tokenize_sentence(self, sentence: str) -> list[str]:
        """Return the lines."""
        return sentence.split("\n")

    def characters(self, sentence: str) -> int:
        """Return how many characters the tokens have, and the spaces between them where they are words."""
        tokens = [pair.rpartition("\t")[0] for pair in sentence.split("\n")]
        return len(tokens) if self.settings.level == "char" else sum(map(len, tokens)) + len(tokens) - 1


def tagged_pieces(lines: Lines, tag_column: str | None) -> Iterator[Piece]:
    """Yield the sentences of a file with a token and its tag a line, and an empty line after each sentence.

    Columns stand between tabs or, where the first line has none, between spaces. The token is the first and
    the tag the last of them, in CoNLL-U the columns FORM and UPOS. Comments, what ``-DOCSTART-`` begins a line
    of, and in CoNLL-U ranges and empty nodes are left out.

    Parameters
    ----------
    lines
        The lines of the file.
    tag_column
        The column of the tag: its number, from 1, or its name in CoNLL-U; None for the default.

    Raises
    ------
    RnnlmError
        If a line has no tag or token, not as many columns as the first, or more than 65,536 characters.
    """
    return _pieces(_pairs(lines, _Columns.find(lines, tag_column)))


def segmented_pieces(lines: Lines) -> Iterator[Piece]:
    """Yield the characters of words between white space, a sentence a line, each tagged B, M, E or S.

    A word of more than 65,536 characters is taken for several.
    """
    return _pieces(_characters(lines))


class _Columns(NamedTuple):
    """Where tokens and tags stand: how many columns there are, from 0 the two that count, and what is between."""

    number: int
    token: int
    tag: int
    separator: str
    are_conllu: bool

    @classmethod
    def find(cls, lines: Lines, tag_column: str | None) -> "_Columns":
        """Look at the first line that is neither empty nor a comment; no line is taken."""
        first, characters = "", 0
        for part in lines.first_parts():
            characters += len(part)
            if not (part.isspace() or _is_comment(part)):
                first = part.removesuffix("\n")
                break
            if characters > FIRST_CHARACTERS:
                raise RnnlmError(
                    f"{lines.source}: the first {FIRST_CHARACTERS:,} characters are comments; give a file of"
                    " tokens with their tags."
                )
        separator = " " if first and "\t" not in first else "\t"
        fields = _fields(first, separator)
        are_conllu = len(fields) == len(CONLLU) and CONLLU_ID.fullmatch(fields[0]) is not None
        by_default = CONLLU.index("upos") if are_conllu else len(fields) - 1
        tag = by_default if tag_column is None else _place(tag_column, are_conllu, len(fields), lines.source)
        return cls(len(fields), CONLLU.index("form") if are_conllu else 0, tag, separator, are_conllu)

    def pair(self, line: str, line_number: int, source: str) -> str | None:
        """Return the token and tag of a line, a tab between them; None if the line is left out."""
        fields = _fields(line, self.separator)
        place = f"{source}: line {line_number:,}"
        if len(fields) != self.number:
            if len(fields) == 1:
                raise _no_tag(place, line)
            raise RnnlmError(
                f"{place} has {len(fields)} columns, but the first has {self.number} ({shown(line)}); give all"
                " tokens the same columns, and leave a line empty after each sentence."
            )
        if self.are_conllu:
            number_of_word = CONLLU_ID.fullmatch(fields[0])
            if number_of_word is None:
                raise RnnlmError(f"{place} does not begin with the number of a word ({shown(line)}); correct it.")
            if number_of_word["left_out"]:
                return None
        token, tag = fields[self.token].strip(" "), fields[self.tag].strip(" ")
        if not token:
            raise RnnlmError(f"{place} has an empty token ({shown(line)}); give each line a token and its tag.")
        if not tag or self.number == 1:
            raise _no_tag(place, line)
        if tag == "_" and not (self.are_conllu and CONLLU[self.tag] in MAY_BE_EMPTY):
            raise RnnlmError(
                f"{place} has an underscore as its tag ({shown(line)}), which says that there is none; choose"
                " another column with `tag_column`."
            )
        return f"{token}\t{tag}"


def _fields(line: str, separator: str) -> list[str]:
    """Return the columns of a line; between two there is one tab, or there are any number of spaces."""
    fields = line.split(separator)
    return fields if separator == "\t" else [field for field in fields if field]


def check_tag_column(tag_column: str) -> None:
    """Raise `RnnlmError` if it is neither a number from 1 nor the name of a column of CoNLL-U."""
    if not (tag_column.isdecimal() and int(tag_column) > 0) and tag_column.lower() not in CONLLU:
        raise RnnlmError(
            f"`tag_column={shown(tag_column)}` must be a number from 1, or in CoNLL-U one of {', '.join(CONLLU)}."
        )


def _place(tag_column: str, are_conllu: bool, count: int, source: str) -> int:
    """Return the number, from 0, of a column."""
    if not tag_column.isdecimal():
        if not are_conllu:
            raise RnnlmError(
                f"{source}: its columns have no names, as those of CoNLL-U do, so there is no {tag_column!r}; give"
                " `tag_column` a number from 1."
            )
        return CONLLU.index(tag_column.lower())
    if int(tag_column) > count:
        raise RnnlmError(
            f"{source}: there is no column {tag_column}, only {count}; choose another with `tag_column`."
        )
    return int(tag_column) - 1


def _no_tag(place: str, line: str) -> RnnlmError:
    return RnnlmError(
        f"{place} has no tag ({shown(line)}); a line has a token, a tab and its tag, and an empty line follows"
        " each sentence."
    )


def _is_comment(line: str) -> bool:
    """Return whether a line before a sentence is a comment and no token ``#...``, which has a tag after a tab."""
    return line.startswith("# ") or (line.startswith("#") and "\t" not in line)


def _pairs(lines: Lines, columns: _Columns) -> Iterator[str | None]:
    """Yield ``token TAB tag`` for each token, and None at the end of a sentence."""
    is_first = True
    for number, parts in lines.grouped():
        line = next(parts)
        ends = not line.strip() and "\t" not in line
        if not ends and is_first and columns.separator == "\t" and _is_comment(line):
            continue
        if ends or line.startswith(DOCUMENT_START):
            is_first = True
            yield None
            continue
        if next(parts, None) is not None:
            raise RnnlmError(
                f"{lines.source}: line {number:,} has more than {PIECE_SIZE:,} characters; a line has one token"
                " and its tag."
            )
        pair = columns.pair(line.removesuffix("\n"), number, lines.source)
        is_first = False
        if pair is not None:
            yield pair


def _characters(lines: Lines) -> Iterator[str | None]:
    """Yield ``character TAB tag`` for each character of a word, and None at the end of a line."""
    for _, parts in lines.grouped():
        for word in _words(parts):
            if len(word) == 1:
                yield f"{word}\t{SINGLE}"
            else:
                yield f"{word[0]}\t{BEGIN}"
                yield from (f"{character}\t{MIDDLE}" for character in word[1:-1])
                yield f"{word[-1]}\t{END}"
        yield None


def _words(parts: Iterable[str]) -> Iterator[str]:
    """Yield the words of a line that comes in parts; one that two parts share is whole, unless it is too long."""
    rest = ""
    for part in parts:
        rest += part
        words = rest.split()
        goes_on = words and not rest[-1].isspace() and len(words[-1]) <= PIECE_SIZE
        rest = words.pop() if goes_on else ""
        yield from words
    if rest:
        yield rest


def _pieces(pairs: Iterable[str | None]) -> Iterator[Piece]:
    """Join the lines of each sentence, in pieces of bounded size."""
    part: list[str] = []
    size, begins = 0, True
    for pair in pairs:
        if part and (pair is None or size + len(pair) > PIECE_SIZE):
            yield Piece("\n".join(part), begins)
            part, size, begins = [], 0, False
        if pair is None:
            begins = True
        else:
            part.append(pair)
            size += len(pair) + 1
    if part:
        yield Piece("\n".join(part), begins)
