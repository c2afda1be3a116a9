"""Files that hold no text that can be read, told by how they begin."""

import re
from collections.abc import Iterable, Sequence

GIVE_TEXT = "give text"
SAVE_TEXT = "save it as plain text (.txt) first"
TAKE_TEXT = "write its texts into a .csv, .jsonl or .txt file first"
UNPACK = "unpack it first"
NAME_FORMAT = "save its text without them, or name the format (`format=txt`) to read them as text"

SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"SQLite format 3\0", "an SQLite database", "export its texts first, as with sqlite3 -header -csv"),
    (0, b"PAR1", "a Parquet file", TAKE_TEXT),
    (0, b"ARROW1\0\0", "an Arrow file", TAKE_TEXT),
    (0, b"Obj\x01", "an Avro file", TAKE_TEXT),
    (0, b"%PDF-", "a PDF document", "save its text first, as with pdftotext"),
    (0, b"%!PS", "a PostScript document", "save its text first, as with ps2ascii"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", SAVE_TEXT),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", GIVE_TEXT),
    (0, b"\xff\xd8\xff", "a JPEG picture", GIVE_TEXT),
    (0, b"GIF87a", "a GIF picture", GIVE_TEXT),
    (0, b"GIF89a", "a GIF picture", GIVE_TEXT),
    (8, b"WEBP", "a WebP picture", GIVE_TEXT),
    (6, b"\0\0\0\0", "a BMP picture", GIVE_TEXT),
    (0, b"II*\0", "a TIFF picture", GIVE_TEXT),
    (0, b"MM\0*", "a TIFF picture", GIVE_TEXT),
    (8, b"WAVE", "a sound file", GIVE_TEXT),
    (8, b"AVI ", "a video", GIVE_TEXT),
    (4, b"ftyp", "a video, sound or picture file of the MP4 kind", GIVE_TEXT),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", GIVE_TEXT),
    (0, b"\0\0\x01\xba", "an MPEG video", GIVE_TEXT),
    (0, b"FLV\x01", "a Flash video", GIVE_TEXT),
    (0, b"OggS\0", "an Ogg sound or video file", GIVE_TEXT),
    (0, b"fLaC\0", "a FLAC sound file", GIVE_TEXT),
    (0, b"MThd\0", "a MIDI file", GIVE_TEXT),
    *((0, b"ID3" + version, "an MP3 sound file", GIVE_TEXT) for version in (b"\x02", b"\x03", b"\x04")),
    *((0, b"\xff" + frame, "an MP3 sound file", GIVE_TEXT) for frame in (b"\xfb", b"\xf3", b"\xf2")),
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch file", GIVE_TEXT),
    *((0, b"\x80" + protocol, "a Python pickle", TAKE_TEXT) for protocol in (b"\x02", b"\x03", b"\x04", b"\x05")),
    (0, b"\x93NUMPY", "a NumPy array (.npy)", GIVE_TEXT),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", GIVE_TEXT),
    (5, b'\0\0\0{"', "a safetensors file of weights", GIVE_TEXT),
    (0, b"\x7fELF", "a program", GIVE_TEXT),
    (0, b"MZ\x90\0", "a program for Windows", GIVE_TEXT),
    (0, b"\xca\xfe\xba\xbe", "a program", GIVE_TEXT),
    *((0, magic, "a program for macOS", GIVE_TEXT) for magic in (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf")),
    *((0, magic, "a program for macOS", GIVE_TEXT) for magic in (b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (0, b"MSCF\0\0\0\0", "a cabinet archive", UNPACK),
    (0, b"!<arch>\n", "an ar archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"\x1f\x9d", "compressed with compress (.Z)", UNPACK),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", UNPACK),
    (0, b"LZIP\x01", "compressed with lzip", UNPACK),
)
"""The place of a signature, its bytes, what the file is, and what to do about it."""
CONTAINERS = {b"WEBP": b"RIFF", b"WAVE": b"RIFF", b"AVI ": b"RIFF", b"\0\0\0\0": b"BM"}
"""The first bytes of files whose signature stands later and is short."""

SPACE_OR_COMMENT = re.compile(r"\s+|<!--.*?-->", re.DOTALL)
MARKUP = (
    (re.compile(r"<(!doctype html|html|head|body)[\s>]", re.IGNORECASE), "a page of HTML with its tags"),
    (re.compile(r"<(\?xml|!doctype|mediawiki)\s", re.IGNORECASE), "XML with its tags"),
    (re.compile(r"\{\\rtf\d"), "an RTF document with its codes"),
)

CONTROLS = bytes(code for code in range(32) if chr(code) not in "\0\a\b\t\n\v\f\r\x1a\x1b")
"""Control characters that texts do not have; NUL is not among them, because broken files of text have it."""
FEW_CONTROLS, MOST_CONTROLS = 4, 0.02
"""A text may have this number of them, and this share."""

HIDDEN = ("__MACOSX/", ".DS_Store", "Thumbs.db")
"""Files that programs hide in zip archives for themselves."""


def unreadable(beginning: bytes) -> str | None:
    """Return what a file is and what to do about it, or None if it may be text.

    Its first 262 bytes show every kind; some hundreds tell text from other bytes.
    """
    for offset, signature, kind, advice in SIGNATURES:
        if beginning.startswith(signature, offset) and beginning.startswith(CONTAINERS.get(signature, b"")):
            return f"this is {kind}; {advice}"
    return None


def is_binary(beginning: bytes) -> bool:
    """Return whether bytes hold more control characters than text of single bytes does."""
    controls = len(beginning) - len(beginning.translate(None, CONTROLS))
    return controls > FEW_CONTROLS + MOST_CONTROLS * len(beginning)


def markup(beginning: str) -> str | None:
    """Return what kind of markup a text is, and what to do about it; None if it is not markup."""
    position = 0
    while found := SPACE_OR_COMMENT.match(beginning, position):
        position = found.end()
    for pattern, kind in MARKUP:
        if pattern.match(beginning, position):
            return f"this is {kind}; {NAME_FORMAT}"
    return None


def packed(names: Sequence[str], mimetype: str) -> str | None:
    """Return which program's document a zip archive is, by its files, and what to do about it; else None."""
    if mimetype == "application/epub+zip":
        return "this is an EPUB book; convert it to plain text first, as with Calibre"
    if mimetype.startswith("application/vnd.oasis.opendocument") or "[Content_Types].xml" in names:
        return f"this is an Office document; {SAVE_TEXT}"
    if any(name.endswith("data.pkl") for name in names):
        return f"this is a PyTorch file; {GIVE_TEXT}"
    if names and all(name.endswith(".npy") for name in names):
        return f"this is a file of NumPy arrays (.npz); {GIVE_TEXT}"
    return None


def unpacked_names(names: Iterable[str]) -> list[str]:
    """Return the files of a zip archive without folders and hidden files."""
    return [name for name in names if not (name.endswith(("/", *HIDDEN)) or name.startswith(HIDDEN))]


def is_undecided(beginning: bytes, others: Iterable[bytes]) -> bool:
    """Return whether more bytes could make a signature of these; `others` are signatures beside those here."""
    signatures = [signature for offset, signature, _, _ in SIGNATURES if offset == 0]
    return any(
        len(beginning) < len(signature) and signature.startswith(beginning) for signature in (*signatures, *others)
    )
