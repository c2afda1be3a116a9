"""The encodings of text: their names, and how they are recognized."""

import codecs
import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from rnnlm.errors import RnnlmError, shown
from rnnlm.text import readings
from rnnlm.text.signatures import is_binary
from rnnlm.text.tokenizers import LONE_SURROGATES

UTF8 = "utf-8-sig"  # with or without a byte order mark

MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NO_ENCODINGS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
"""Python's encodings that write text as other text."""
JAPANESE_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J")
"""Escape sequences that only ISO-2022-JP has."""

UNDECODABLE = "rnnlm-undecodable"
"""The error handler of codecs that replaces bytes that are not a character by a lone surrogate."""

FREQUENT = re.compile("[\t\n\r -~\u3001\u3002\uff0c]")
"""Characters that are frequent in text of two or four bytes a character, but rare in the wrong order of bytes."""
LEAST_FREQUENT = 0.02
MOST_STRANGE = 0.02
LEAST_LETTERS = 5
LOOKED_AT = 8192
MOST_NULS = 0.25
"""A larger share of NUL characters shows that characters have two or four bytes."""


class Candidate(NamedTuple):
    """An encoding that may be recognized: its usual name, and the languages that it is used for."""

    name: str
    languages: tuple[str, ...]
    usual: tuple[str, int] | None = None  # see `unlikeliness`


CANDIDATES = {
    "cp1252": Candidate("Windows-1252", readings.WEST),
    "cp1250": Candidate("Windows-1250", readings.CENTRAL),
    "cp1251": Candidate("Windows-1251", readings.CYRILLIC),
    "iso8859_15": Candidate("ISO-8859-15", readings.WEST),
    "iso8859_2": Candidate("ISO-8859-2", readings.CENTRAL),
    "koi8_r": Candidate("KOI8-R", readings.CYRILLIC),
    "cp1253": Candidate("Windows-1253", readings.GREEK),
    "iso8859_7": Candidate("ISO-8859-7", readings.GREEK),
    "cp1254": Candidate("Windows-1254", readings.TURKIC),
    "cp1256": Candidate("Windows-1256", readings.ARABIC),
    "cp1255": Candidate("Windows-1255", readings.HEBREW),
    "cp1257": Candidate("Windows-1257", readings.BALTIC),
    "euc_kr": Candidate("EUC-KR", readings.KOREAN, ("euc_kr", 0xC8)),
    "euc_jp": Candidate("EUC-JP", readings.JAPANESE, ("euc_jp", 0xCF)),
    "shift_jis": Candidate("Shift_JIS", readings.JAPANESE, ("euc_jp", 0xCF)),
    "cp932": Candidate("CP932", readings.JAPANESE, ("euc_jp", 0xCF)),
    "gb18030": Candidate("GB18030", readings.SIMPLIFIED, ("gb2312", 0xD7)),
    "big5": Candidate("Big5", readings.TRADITIONAL, ("big5", 0xC6)),
    "cp950": Candidate("CP950", readings.TRADITIONAL, ("big5", 0xC6)),
    "cp949": Candidate("CP949", readings.KOREAN, ("euc_kr", 0xC8)),
    "cp874": Candidate("CP874", readings.THAI),
    "koi8_u": Candidate("KOI8-U", readings.CYRILLIC),
    "cp866": Candidate("CP866", readings.CYRILLIC),
    "iso8859_5": Candidate("ISO-8859-5", readings.CYRILLIC),
    "mac_cyrillic": Candidate("Mac-Cyrillic", readings.CYRILLIC),
    "mac_roman": Candidate("Mac-Roman", readings.WEST),
    "cp850": Candidate("CP850", readings.WEST),
    "cp858": Candidate("CP858", readings.WEST),
    "cp852": Candidate("CP852", readings.CENTRAL),
    "cp857": Candidate("CP857", readings.TURKIC),
    "iso8859_6": Candidate("ISO-8859-6", readings.ARABIC),
    "iso8859_8": Candidate("ISO-8859-8", readings.HEBREW),
    "iso8859_13": Candidate("ISO-8859-13", readings.BALTIC),
    "iso8859_3": Candidate("ISO-8859-3", readings.SOUTH),
    "mac_latin2": Candidate("Mac-Latin2", readings.CENTRAL),
    "mac_turkish": Candidate("Mac-Turkish", readings.TURKIC),
    "cp775": Candidate("CP775", readings.BALTIC),
    "cp737": Candidate("CP737", readings.GREEK),
    "mac_iceland": Candidate("Mac-Iceland", readings.WEST),
    "mac_greek": Candidate("Mac-Greek", readings.GREEK),
    "cp1125": Candidate("CP1125", readings.CYRILLIC),
    "cp862": Candidate("CP862", readings.HEBREW),
}
"""The encodings that are recognized, the more usual first."""
LESS_USUAL = 0.1
"""How much less likely each candidate is than the one before it."""
MOST_UNLIKELY, UNLIKELY_FEW = 4.8, 5.0
"""How unlikely a text may be: for each byte beyond ASCII, and once."""
LEAST_LINES = 0.2
SAMPLE, LONG = 1 << 14, 1 << 16
"""Bytes of lines that are not UTF-8 that are looked at; a sample longer than the second is not a whole file."""


def check_encoding(name: str) -> str:
    """Return Python's name of an encoding; raises `RnnlmError` if Python knows no such encoding of text."""
    try:
        "".encode(name)
        codec = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):  # of these the last for names that hold NUL
        codec = ""
    if not codec or codec in NO_ENCODINGS:
        raise RnnlmError(
            f"`encoding={shown(name)}`: there is no such encoding of text; give a name that Python knows, such as"
            " utf-8, windows-1252 or utf-16."
        )
    return UTF8 if codec == "utf-8" else codec


def name_of(codec: str) -> str:
    """Return the usual name of an encoding, which `check_encoding` takes too."""
    return CANDIDATES[codec].name if codec in CANDIDATES else codec.upper().removesuffix("-SIG")


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8; the last character may be cut."""
    try:
        codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(beginning: bytes) -> str | None:
    """Return the encoding of bytes that begin with a mark, or have two or four bytes a character.

    None stands for all others, which contain ASCII.
    """
    for mark, encoding in MARKS:
        if beginning.startswith(mark):
            return encoding
    if beginning.isascii() and any(escape in beginning for escape in JAPANESE_ESCAPES):
        return "iso2022_jp"
    beginning = beginning[:LOOKED_AT]
    if _is_text_with_nuls(beginning):
        return None
    for encoding in ("utf-32-le", "utf-32-be"):
        if _characters(beginning, encoding):
            return encoding
    shares = {encoding: _share_of_usual(beginning, encoding) for encoding in ("utf-16-le", "utf-16-be")}
    encoding = max(shares, key=shares.__getitem__)
    return encoding if shares[encoding] >= LEAST_FREQUENT else None


def recognized(sample: bytes, utf8_before: int = 0) -> str | None:
    """Return the likely encoding of lines of which some are not UTF-8.

    It is `UTF8` if most is, else one of `CANDIDATES`, or None if no usual one fits. `utf8_before` says how many
    lines before them were UTF-8, and not ASCII.
    """
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    right_lines = sum(is_utf8(line + b"\n") for line in lines) + utf8_before
    text = b"\n".join(lines).decode("utf-8", "surrogateescape")
    wrong = len(LONE_SURROGATES.findall(text))
    right = sum(character > "\x7f" for character in text) - wrong
    # Some bytes of other encodings are UTF-8 by chance, but few whole lines are.
    is_utf8_mostly = right > wrong or right_lines > LEAST_LINES * (len(lines) + utf8_before)
    return UTF8 if is_utf8_mostly else likely_encoding(sample)


def likely_encoding(sample: bytes) -> str | None:
    """Return the one of `CANDIDATES` in which bytes are most likely a text; None if they are in none."""
    sample = _lines_beyond_utf8(sample)
    shares = readings.shares_of_words(sample)

    def unlikely(codec: str) -> float:
        # The end of a sample may cut a character.
        text = codecs.getincrementaldecoder(codec)("replace").decode(sample, len(sample) < SAMPLE)
        return readings.unlikeliness(text, CANDIDATES[codec].languages, CANDIDATES[codec].usual, shares)

    found = {codec: unlikely(codec) + LESS_USUAL * rank for rank, codec in enumerate(CANDIDATES)}
    best = min(found, key=found.__getitem__)
    most = UNLIKELY_FEW + MOST_UNLIKELY * sum(byte > 0x7F for byte in sample)
    return best if found[best] <= most else None


def _lines_beyond_utf8(sample: bytes) -> bytes:
    """Return enough lines for a sample; the last one may be cut."""
    *whole, last = sample.split(b"\n")
    lines = b"\n".join(line for line in whole if not is_utf8(line + b"\n"))
    if len(sample) <= LONG and not lines:
        return last
    return (lines or last)[:SAMPLE]


def _is_text_with_nuls(data: bytes) -> bool:
    rest = data.replace(b"\0", b"")
    if len(data) - len(rest) > MOST_NULS * len(data) or is_binary(rest):
        return False
    return is_utf8(rest)


def _characters(data: bytes, encoding: str) -> str:
    """Return what bytes mean in an encoding; nothing if that has characters that texts do not have."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return ""
    strange = sum(unicodedata.category(c) in ("Cc", "Cn", "Co") and not c.isspace() for c in text)
    return "" if "\0" in text or strange > MOST_STRANGE * len(text) else text


def _share_of_usual(data: bytes, encoding: str) -> float:
    """Return the share of characters that are frequent in texts, or of one script if the bytes are not text."""
    text = _characters(data, encoding)
    if not text.strip():
        return 0
    may_be_text_of_bytes = b"\0" not in data and is_utf8(data)
    share = 0 if may_be_text_of_bytes else len(FREQUENT.findall(text)) / len(text)
    [(block, count)] = Counter(ord(character) >> 8 for character in text).most_common(1)
    letters = {character for character in text if ord(character) >> 8 == block and character.isalpha()}
    is_of_one_script = is_binary(data) and len(letters) >= LEAST_LETTERS
    return max(share, count / len(text)) if is_of_one_script else share


def _undecodable(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(UNDECODABLE, _undecodable)
