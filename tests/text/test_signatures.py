"""Files that hold no text which could be read are refused by what they are."""

import io
import pickle
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from rnnlm.errors import RnnlmError
from rnnlm.text.lines import open_text, read_lines
from rnnlm.text.report import ReadReport


def read(path: Path, content: bytes, any_text: bool = False) -> str:
    path.write_bytes(content)
    with open_text(str(path), ReadReport(), any_text=any_text) as lines:
        return "".join(lines.parts())


def riff(kind: bytes) -> bytes:
    return b"RIFF\x24\x08\0\0" + kind + b"fmt \x10\0\0\0"


def bmp() -> bytes:
    return b"BM\x36\x04\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"


def saved(save_array: Callable[..., None]) -> bytes:
    file = io.BytesIO()
    save_array(file, np.arange(3))
    return file.getvalue()


def archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, content in files.items():
            opened.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_pkl", ".pkl"), content)
    return file.getvalue()


KINDS = {
    b"SQLite format 3\0" + bytes(80): "an SQLite database; export its texts first, as with sqlite3 -header -csv",
    b"PAR1\x15\x04\x15": "a Parquet file; write its texts into a .csv, .jsonl or .txt file first",
    b"ARROW1\0\0\xff\xff": "an Arrow file",
    b"Obj\x01\x04\x14avro": "an Avro file",
    b"%PDF-1.7\n": "a PDF document; save its text first, as with pdftotext",
    b"%!PS-Adobe-3.0\n": "a PostScript document",
    bytes.fromhex("d0cf11e0a1b11ae1"): "an old Office document; save it as plain text",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "a PNG picture; give text",
    b"\xff\xd8\xff\xe0\0\x10JFIF": "a JPEG picture",
    b"GIF89a\x01\0": "a GIF picture",
    b"II*\0\x08\0\0\0": "a TIFF picture",
    b"MM\0*\0\0\0\x08": "a TIFF picture",
    bmp(): "a BMP picture",
    riff(b"WEBP"): "a WebP picture",
    riff(b"WAVE"): "a sound file",
    riff(b"AVI "): "a video",
    b"\0\0\0\x20ftypisom": "a video, sound or picture file of the MP4 kind",
    b"\x1a\x45\xdf\xa3\x9f": "a Matroska or WebM video",
    b"OggS\0\x02": "an Ogg sound or video file",
    b"fLaC\0\0\0\x22": "a FLAC sound file",
    b"ID3\x04\0\0": "an MP3 sound file",
    b"\xff\xfb\x90\x64": "an MP3 sound file",
    saved(np.save): "a NumPy array",
    saved(np.savez): "a file of NumPy arrays",
    b"\x89HDF\r\n\x1a\n\0": "an HDF5 file",
    save({"a": np.zeros(3)}): "a safetensors file",
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M": "a PyTorch file",
    archive(archive__data_pkl=b"\x80\x02}", archive__version=b"3\n"): "a PyTorch file",
    b"\x7fELF\x02\x01\x01": "a program",
    b"MZ\x90\0\x03\0\0\0": "a program for Windows",
    b"\xcf\xfa\xed\xfe\x07\0\0\x01": "a program for macOS",
    b"7z\xbc\xaf\x27\x1c\0\x04": "a 7z archive; unpack it first",
    b"Rar!\x1a\x07\x01\0": "a RAR archive; unpack it first",
    b"a.txt" + bytes(252) + b"ustar\x0000" + bytes(248): "a tar archive; unpack it first",
    b"\x1f\x9d\x90": "compressed with compress",
    archive(mimetype=b"application/epub+zip", a=b"text"): "an EPUB book; convert it to plain text first",
    archive(mimetype=b"application/vnd.oasis.opendocument.text", content_xml=b"<x/>"): "an Office document",
    archive(
        **{"[Content_Types]_xml": b"<x/>", "word__document_xml": b"<x/>"}
    ): "an Office document; save it as plain",
    **{pickle.dumps({"text": ["a", 1]}, protocol): "a Python pickle; write its texts" for protocol in range(2, 6)},
}


@pytest.mark.parametrize(("content", "kind"), KINDS.items(), ids=KINDS.values())
def test_what_is_no_text_is_refused_by_what_it_is(tmp_path: Path, content: bytes, kind: str) -> None:
    for any_text in (False, True):
        with pytest.raises(RnnlmError) as error:
            read(tmp_path / "a.txt", content, any_text)
        assert f"a.txt: this is {kind}" in str(error.value)
        assert str(error.value).endswith(".")
        assert str(error.value).count(". ") == 0


def test_a_database_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.csv")
    database.execute("create table comments (body text)")
    database.commit()
    database.close()
    with (
        pytest.raises(RnnlmError, match=r"a\.csv: this is an SQLite database;"),
        open_text(str(tmp_path / "a.csv"), ReadReport()),
    ):
        pass


MARKUP = {
    "<!DOCTYPE html>\n<html><body>Hello</body></html>": "a page of HTML",
    "\n  <html lang='en'>": "a page of HTML",
    "<!-- saved -->\n<!-- twice --><HTML>": "a page of HTML",
    "<HEAD>\n": "a page of HTML",
    '<?xml version="1.0" encoding="utf-8"?>\n<posts>': "XML",
    '<mediawiki xmlns="http://www.mediawiki.org/">': "XML",
    "{\\rtf1\\ansi Hello}": "an RTF document",
}


@pytest.mark.parametrize(("text", "kind"), MARKUP.items(), ids=MARKUP.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_markup_is_refused_unless_wanted(tmp_path: Path, text: str, kind: str, encoding: str) -> None:
    file = tmp_path / "a.txt"
    with pytest.raises(RnnlmError, match=rf"a\.txt: this is {kind}.* with its .*\(`format=txt`\)"):
        read(file, text.encode(encoding))
    assert read(file, text.encode(encoding), any_text=True) == text
    assert "\n".join(read_lines(str(file), ReadReport())) == text.removesuffix("\n")


@pytest.mark.parametrize(
    "text",
    [
        "<3 this",
        "<htmlish",
        "<b>bold</b> words",
        "BM is short for bowel movement",
        "MZ wrote this",
        "PK\n",
        "RIFF raff WAVE",
        "ID3 tags are used by MP3",
        "GIF87 was a year",
        "FLV is dead",
        "Rar! said the lion",
        "7z is a program",
        "]]>",
        "(lp0\n",
        "%PDF is a format",
        "{\\r",
        "\x1b[1mbold\x1b[0m",
        "<!-- a comment that never ends",
        "<!---->" * 10_000,
    ],
)
def test_text_is_not_taken_for_something_else(tmp_path: Path, text: str) -> None:
    for end in ("", "\n", " and more\n"):
        assert read(tmp_path / "a", (text + end).encode()) == text + end
