"""The ends of sentences in all scripts: their marks, what closes with them, and full stops that end nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

BEFORE_SPACE = ".?!…‥‼‽⁇⁈⁉⸮．؟۔\u037e"
ANYWHERE = "。｡！？︒︕︖﹖﹗।॥։።፧፨။។៕᠃᠉᙮܀܁܂߹᭚᭛᭞᭟꩝꩞꩟᥄᥅᱾᱿꓿꘎꘏꛳꛷꣎꣏꤯꧉꫰꫱꯫𑅁𑅂𑅃"
MARKS = BEFORE_SPACE + ANYWHERE
"""Characters with Unicode's property Sentence_Terminal. The first end a sentence only before white space, because
they stand in words and numbers too; the others end it anywhere, because many scripts have no space after them."""

QUOTES = "\"'”’“‘«»‹›」』》〉"
"""Each of these closes right after a mark; one that opens in « French » closes in »German«."""
BRACKETS = ")]}）］｝】〕"
FORMATTING = "*_~`"
CLOSING = QUOTES + BRACKETS + FORMATTING
CLOSING_APART = "»›”’」』》〉)]}"
OPENING = "\"'“‘„‚«»‹›「『《〈`([{（［｛【〔¿¡"
DASHES = "-–—―"
GOES_ON = ",;:，；：、"

CJK = "[\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
EMOJI = "\u2600-\u27bf\U0001f300-\U0001faff\ufe0f\u200d"
GREEK = "[\u0370-\u03ff\u1f00-\u1fff]"

LONGEST_WORD = 40
LONGEST_NUMBER = 3
LONGEST_QUOTATION = 2000


def _any(characters: str, ranges: str = "") -> str:
    return f"[{re.escape(characters)}{ranges}]"


FIRST_MARK = rf"(?:\.(?![A-Za-z0-9])|{_any(MARKS.replace('.', ''))}|(?<={GREEK});+|፡፡)"
FURTHER = _any(MARKS + CLOSING, EMOJI)
APART = rf"\s+{_any(MARKS + CLOSING_APART)}+(?![^\s{GOES_ON}])"
END = re.compile(rf"{FIRST_MARK}{FURTHER}*(?:(?<=!)1+(?!\w){FURTHER}*)?(?:{APART}){{0,9}}")
"""A full stop inside a number or address is not a mark. The Greek question mark looks like a semicolon, two of the
marks between Ethiopic words are typed for a full stop, and OMG!!!11 is one exclamation."""
LIKELY_END = (
    rf"(?:{_any(BEFORE_SPACE)}{_any(CLOSING)}*\s|{_any(ANYWHERE)}{_any(CLOSING)}*(?!{_any(MARKS + CLOSING)}|\Z))"
)
"""The end of a sentence, unless an abbreviation stands before it."""
QUOTE_APART = re.compile(r"\s+\"(?!\S)")
EMOTICONS = re.compile(rf"(?:\s+(?:[:;=8xX]['^o-]?[()\[\]DPpOo3/\\|*]+|<3+|\^_*\^|[{EMOJI}]+)(?!\S)){{0,9}}")
FOLLOWING = re.compile(rf"\s*([{DASHES}]*)\s*({_any(OPENING)}{{0,9}})\s*(\S[\w'’-]{{0,{LONGEST_WORD}}}\.?)?")
TOUCHING_CJK = re.compile(rf"{_any(OPENING)}?{CJK}")
LAST_CJK = re.compile(rf"{CJK}{_any(QUOTES + BRACKETS)}?\Z")
DIALOGUE = re.compile(r"\s*[–—―]")
ACRONYM = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")

CLOSING_QUOTES, CLOSING_BRACKETS = frozenset(QUOTES), frozenset(BRACKETS)
ANYWHERE_MARKS = frozenset(ANYWHERE + "፡")
SURE_MARKS = frozenset(MARKS + ";፡") - frozenset(".…‥")
QUESTIONS = frozenset("?!…‥‼‽⁇⁈⁉⸮؟;\u037e！？︕︖﹖﹗፧᥄᥅")
QUOTING_PARTICLES = frozenset("とっ")
ALWAYS_CAPITALIZED = frozenset(f"I{rest}" for rest in ("", "'m", "'ve", "'ll", "'d", "’m", "’ve", "’ll", "’d"))

CAPITALIZED_WITHIN = 1 << 2
LOWER_CASE = 1 << 4 | 1 << 5 | 1 << 6
"""Flags of Punkt's `ortho_context`: how a word was seen."""
AN_ABBREVIATION = "u.s"
"""An abbreviation that Punkt always knows."""


class SentenceEnds:
    """Finds the places in a line where a sentence ends and another begins.

    NLTK's `PunktSentenceTokenizer` is asked about a full stop after a word that is not known. `abbreviations` are
    known ones, in lower case and without their last full stop, and what a sentence goes on with after each:
    ``anything``, ``name`` (any word that is not a usual beginning), ``number`` or ``lower case``.
    """

    def __init__(self, punkt: Any, abbreviations: Mapping[str, str]) -> None:
        self._punkt = punkt
        self._learned = punkt._params
        self._abbreviations = abbreviations

    def find(self, line: str) -> Iterator[int]:
        """Yield where each sentence ends but the last; white space may follow."""
        start, dialogue = 0, DIALOGUE.match(line)
        for found in END.finditer(line):
            first = found.start()
            marks = _closed(line, start, found)
            # Both patterns also match the empty text.
            end = EMOTICONS.match(line, first + len(marks)).end()  # type: ignore[union-attr]
            if end < len(line) and not line[end].isspace() and not _may_touch(line, marks, first, end):
                continue
            dash, opening, word = FOLLOWING.match(line, end).groups()  # type: ignore[union-attr]
            before = line[max(start, first - LONGEST_WORD) : first]
            if word and self._ends(before, marks, dash or dialogue, opening, word):
                yield end
                start, dialogue = end, DIALOGUE.match(line, end)

    def _ends(self, before: str, marks: str, dash: object, opening: str, word: str) -> bool:
        """Return whether a sentence ends with these marks, between what is before and the word that follows.

        `dash` says whether there is one before the word or at the sentence's beginning, as in *— No! he said*.
        """
        letter = word[0]
        quoted = not CLOSING_QUOTES.isdisjoint(marks)
        closed = quoted or not CLOSING_BRACKETS.isdisjoint(marks)
        if letter in GOES_ON or (letter.islower() and (dash or closed)):
            return False
        caseless = letter.isalpha() and not letter.isupper() and not letter.islower()
        # Without lower case, only the mark tells “Why?” Anna asked from “So.” Anna left.
        quotes_only = letter in QUOTING_PARTICLES or not QUESTIONS.isdisjoint(marks)
        if quoted and not opening and quotes_only and (caseless or self._is_name(word)):
            return False
        if not SURE_MARKS.isdisjoint(marks):
            return True
        if marks.count(".") == 1 and "…" not in marks and "‥" not in marks:
            return self._full_stop_ends(before, word)
        if caseless:
            return LAST_CJK.search(before) is not None
        return letter.isupper() and not self._is_name(word)

    def _full_stop_ends(self, before: str, word: str) -> bool:
        """Return whether the full stop after what is before ends a sentence, where this word follows."""
        if not before or before[-1].isspace():
            return True
        *earlier, last = before.split()
        last = last.lstrip(OPENING + DASHES + FORMATTING)
        if not earlier and last.isdecimal() and len(last) <= LONGEST_NUMBER:
            return False  # 1. A list
        key = last.lower()
        if earlier and earlier[-1].endswith("."):
            pair = earlier[-1].lstrip(OPENING).lower() + key
            key = pair if self._is_known(pair) else key  # z. B.
        goes_on_before = self._abbreviations.get(key)
        initial = len(last) == 1
        if initial and len(word) == 2 and word[1] == ".":
            return False  # J. R. Tolkien
        word = word.rstrip(".") or word
        if goes_on_before == "anything" or self._is_known(f"{key}.{word.lower()}"):
            return False
        if word[0].isdecimal() and (initial or goes_on_before == "number"):
            return False
        if goes_on_before == "lower case":
            return not word[0].islower()
        begins = word[0].isupper() and word.lower() in self._learned.sent_starters
        if goes_on_before == "name":
            return begins
        if initial and begins:
            return True  # vitamin C. It
        if ACRONYM.fullmatch(key) and key not in self._learned.abbrev_types:
            key = AN_ABBREVIATION
        return bool(self._punkt.text_contains_sentbreak(f"{key}. {word}"))

    def _is_name(self, word: str) -> bool:
        """Return whether a word has a capital letter wherever it stands."""
        seen = self._learned.ortho_context[word.lower().rstrip(".")]
        return word in ALWAYS_CAPITALIZED or bool(seen & CAPITALIZED_WITHIN and not seen & LOWER_CASE)

    def _is_known(self, abbreviation: str) -> bool:
        return abbreviation in self._abbreviations or abbreviation in self._learned.abbrev_types


def _closed(line: str, start: int, found: re.Match[str]) -> str:
    """Return the marks found, without quotation marks that open and with a straight one apart that closes."""
    marks, end = found[0], found.end()
    if end == len(line) or line[end].isspace():
        apart = QUOTE_APART.match(line, end)
        return marks + apart[0] if apart and _is_open(line, start, found.start()) else marks
    marks = marks.rstrip("“‘«‹")
    return marks.rstrip("\"'") if marks[-1] in "\"'" and not _is_open(line, start, found.start()) else marks


def _is_open(line: str, start: int, position: int) -> bool:
    """Return whether a straight quotation mark before the position waits for its second."""
    return line.count('"', max(start, position - LONGEST_QUOTATION), position) % 2 == 1


def _may_touch(line: str, marks: str, first: int, end: int) -> bool:
    """Return whether marks that touch what follows may end a sentence."""
    if not ANYWHERE_MARKS.isdisjoint(marks):
        return True
    return bool(LAST_CJK.search(line[max(0, first - 2) : first]) and TOUCHING_CJK.match(line, end))
