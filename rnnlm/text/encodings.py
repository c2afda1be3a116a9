"""How the characters of a text are written as bytes: as somebody says, or recognized."""

import codecs
import re
import unicodedata
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

from rnnlm.errors import RnnlmError, shown
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
# What Python takes for encodings of text, but are ways to write it in other text.
NO_ENCODINGS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
# The escape sequences that only this encoding has, in bytes that are ASCII.
JAPANESE_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J")

UNDECODABLE = "rnnlm-undecodable"
"""The error handler of codecs that puts a lone surrogate where bytes are no character."""

# Of what text in two or four bytes a character consists mostly; in the order of bytes that is the wrong one, or in
# other bytes, there are few of them.
FREQUENT = re.compile("[\t\n\r -~\u3001\u3002\uff0c]")
LEAST_FREQUENT = 0.02
MOST_STRANGE = 0.02
LEAST_LETTERS = 5
LOOKED_AT = 8192
# In text of bytes, NUL characters are rare.
MOST_NULS = 0.25

PUNCTUATION = "‘’‚“”„…–—«»‹›°§©®•€£™´\xa0"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
EAST_CYRILLIC = (f"{CYRILLIC}ё", f"{CYRILLIC}іїєґ", f"{CYRILLIC}ўіё", f"{CYRILLIC}ђјљњћџ")
FRENCH, GERMAN, SPANISH = "àâæçéèêëîïôœùûüÿ", "äöüß", "áéíñóúü¿¡ºª"
WEST = (FRENCH, GERMAN, SPANISH, "àáâãçéêíóôõúª", "åäöé", "æøåé", "àèéìíòóùú", "äëïöüéèá")
CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýžäĺľôŕ", "áéíóöőúüű", "čćđšž", "ăâîșşțţ")
GREEK = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"
HEBREW = "".join(map(chr, range(0x5D0, 0x5EB)))
ARABIC = "".join(map(chr, range(0x621, 0x64B))) + "،؛؟"
THAI = "".join(map(chr, range(0xE01, 0xE5C)))
HANGUL = range(0xAC00, 0xD7A4)
IDEOGRAPHS = range(0x4E00, 0xA000)
KANA = range(0x3041, 0x30FF)
WIDE_SIGNS = "、。〈〉《》「」『』【】！（），．：；？"


class Candidate(NamedTuple):
    """An encoding that may be recognized: its usual name, and what the languages have that it is used for."""

    name: str
    alphabets: tuple[str, ...]
    ranges: tuple[range, ...] = ()
    apart: str = ""  # an alphabet whose letters are in texts of the other languages a sign of a wrong reading
    needed: range | None = None  # what every text has


# The more usual of those that cannot be told apart in a short text stand first.
CANDIDATES = {
    "cp1252": Candidate("Windows-1252", WEST, apart="áðéíóúýþæö"),
    "cp1250": Candidate("Windows-1250", CENTRAL),
    "cp1251": Candidate("Windows-1251", EAST_CYRILLIC),
    "koi8_r": Candidate("KOI8-R", EAST_CYRILLIC),
    "cp1253": Candidate("Windows-1253", (GREEK,)),
    "iso8859_7": Candidate("ISO-8859-7", (GREEK,)),
    "cp1254": Candidate("Windows-1254", ("çğıi̇öşüâîû",)),
    "cp1256": Candidate("Windows-1256", (ARABIC,)),
    "cp1255": Candidate("Windows-1255", (HEBREW,)),
    "cp1257": Candidate("Windows-1257", ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž")),
    "euc_kr": Candidate("EUC-KR", (WIDE_SIGNS,), (HANGUL,)),
    "euc_jp": Candidate("EUC-JP", (WIDE_SIGNS,), (IDEOGRAPHS, KANA), needed=KANA),
    "shift_jis": Candidate("Shift_JIS", (WIDE_SIGNS,), (IDEOGRAPHS, KANA), needed=KANA),
    "cp932": Candidate("CP932", (WIDE_SIGNS,), (IDEOGRAPHS, KANA), needed=KANA),
    "gb18030": Candidate("GB18030", (WIDE_SIGNS,), (IDEOGRAPHS,)),
    "big5": Candidate("Big5", (WIDE_SIGNS,), (IDEOGRAPHS,)),
    "cp950": Candidate("CP950", (WIDE_SIGNS,), (IDEOGRAPHS,)),
    "cp949": Candidate("CP949", (WIDE_SIGNS,), (HANGUL,)),
    "cp874": Candidate("CP874", (THAI,)),
    "iso8859_2": Candidate("ISO-8859-2", CENTRAL),
    "iso8859_5": Candidate("ISO-8859-5", EAST_CYRILLIC),
    "mac_roman": Candidate("Mac-Roman", WEST),
    "cp866": Candidate("CP866", EAST_CYRILLIC),
    "cp850": Candidate("CP850", WEST),
}
LEAST_FIT = 0.6
LEAST_LINES = 0.2
# Text in the wrong case is of another encoding; names and beginnings of sentences may be all that is not ASCII.
MOST_CAPITALS = 2
# How many bytes of the lines that are not UTF-8 are looked at; how many are surely not a whole file, and how few
# are a short one.
SAMPLE, LONG, SHORT = 1 << 15, 1 << 16, 64


def check_encoding(name: str) -> str:
    """Return Python's name of an encoding.

    Raises
    ------
    RnnlmError
        If it is no encoding of text that Python knows.
    """
    try:
        "".encode(name)
        codec = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):  # of these the last for names that hold NUL
        codec = ""
    if not codec or codec in NO_ENCODINGS:
        raise RnnlmError(
            f"--encoding {shown(name)}: there is no such encoding of text; give a name that Python knows, such as"
            " utf-8, windows-1252 or utf-16."
        )
    return UTF8 if codec == "utf-8" else codec


def name_of(codec: str) -> str:
    """Return the usual name of an encoding, which `check_encoding` takes too."""
    return CANDIDATES[codec].name if codec in CANDIDATES else codec.upper().removesuffix("-SIG")


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8, of which the last character may be cut."""
    try:
        codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(beginning: bytes) -> str | None:
    """Return the encoding of bytes that begin with a mark, or have two or four bytes a character.

    None stands for all others, in which the bytes of ASCII mean what they mean there.
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
    """Return the likely encoding of bytes in which those of ASCII mean what they mean there.

    Parameters
    ----------
    sample
        Lines that are not all of UTF-8.
    utf8_before
        How many lines before them were UTF-8, and not ASCII.

    Returns
    -------
    str or None
        `UTF8` if most is, else one of `CANDIDATES`, or None if no usual one fits.
    """
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    right_lines = sum(is_utf8(line + b"\n") for line in lines) + utf8_before
    text = b"\n".join(lines).decode("utf-8", "surrogateescape")
    wrong = len(LONE_SURROGATES.findall(text))
    right = sum(character > "\x7f" for character in text) - wrong
    # By chance some bytes of other encodings are UTF-8, but few whole lines.
    is_utf8_mostly = right > wrong or right_lines > LEAST_LINES * (len(lines) + utf8_before)
    return UTF8 if is_utf8_mostly else likely_encoding(sample)


def likely_encoding(sample: bytes) -> str | None:
    """Return which of `CANDIDATES` fits bytes best; None if none fits."""
    from charset_normalizer import from_bytes

    sample = _lines_beyond_utf8(sample)
    order = list(CANDIDATES)
    readings = [
        (codec, str(match), match.chaos, match.coherence)
        for match in from_bytes(sample, steps=8, chunk_size=1024, cp_isolation=order)
        for codec in {match.encoding, *match.could_be_from_charset} & CANDIDATES.keys()
    ]
    if len(sample) < SHORT:  # says little about chaos; the most usual encoding is always one that may be
        with suppress(UnicodeDecodeError):
            readings.append((order[0], sample.decode(order[0]), 0.0, 0.0))
    found: list[tuple[float, ...]] = []
    for codec, text, chaos, coherence in readings:
        all_languages, language, case = _fit(text, CANDIDATES[codec])
        if all_languages >= LEAST_FIT:
            # Small differences mean nothing.
            signs = (all_languages, case, -chaos, coherence, language)
            found.append((*(round(sign, 1) for sign in signs), -order.index(codec)))
    return order[-int(max(found)[-1])] if found else None


def _lines_beyond_utf8(sample: bytes) -> bytes:
    """Return as many lines as make a sample, and no half character if it can be seen where characters end."""
    *whole, last = sample.split(b"\n")
    lines = b"\n".join(line for line in whole if not is_utf8(line + b"\n"))
    if len(lines or last) <= SAMPLE and (lines or len(sample) <= LONG):
        return lines or last
    lines = lines or last
    ends = [lines.rfind(byte, 0, SAMPLE) for byte in (b"\n", b" ", b",", b".", b'"')]
    return lines[: max(ends) + 1 or SAMPLE]


def _fit(text: str, candidate: Candidate) -> tuple[float, float, bool]:
    """Return the share of characters beyond ASCII that are of a candidate's languages, or of one; and if small."""
    counts = Counter(character for character in text if character > "\x7f" and character not in PUNCTUATION)
    if not counts:
        return 1.0, 1.0, True
    if candidate.needed and not any(ord(character) in candidate.needed for character in counts):
        return 0.0, 0.0, True
    small = sum(count for character, count in counts.items() if character.islower())
    capital = sum(count for character, count in counts.items() if character.isupper())

    def share(alphabet: str) -> float:
        letters = {*alphabet, *alphabet.upper()}
        known = (c in letters or any(ord(c) in characters for characters in candidate.ranges) for c in counts)
        return sum(count for count, is_known in zip(counts.values(), known, strict=True) if is_known) / total

    total = sum(counts.values())
    shares = [share(alphabet) for alphabet in (*candidate.alphabets, candidate.apart)]
    return max(share("".join(candidate.alphabets)), shares[-1]), max(shares), capital <= small + MOST_CAPITALS


def _is_text_with_nuls(data: bytes) -> bool:
    rest = data.replace(b"\0", b"")
    if len(data) - len(rest) > MOST_NULS * len(data) or is_binary(rest):
        return False
    return is_utf8(rest)


def _characters(data: bytes, encoding: str) -> str:
    """Return what bytes mean in an encoding; nothing if there are characters that do not stand in texts."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return ""
    strange = sum(unicodedata.category(c) in ("Cc", "Cn", "Co") and not c.isspace() for c in text)
    return "" if "\0" in text or strange > MOST_STRANGE * len(text) else text


def _share_of_usual(data: bytes, encoding: str) -> float:
    """Return the share of characters that are frequent in texts, or of one script if as bytes it is no text."""
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
