"""Text in whatever encoding is read as what was written, or refused."""

import codecs
import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.encodings import CANDIDATES, check_encoding, name_of
from rnnlm.text.lines import open_text, read_lines
from rnnlm.text.report import ReadReport
from rnnlm.text.signatures import unreadable
from tests.text.languages import LANGUAGES

WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


# Texts, and how they are written, that other encodings make something of too.
CONFUSED = [
    ("iso8859_15", "Le cœur et la sœur de mon frère, et un œuf à 5 €."),
    ("iso8859_15", "Das kostet 5 € und ist schön."),
    ("iso8859_15", "El café cuesta 2 € en la tienda de mañana."),
    ("iso8859_15", "Mu õde elab väikeses külas, ütles müüja Žanna, kes sõi šokolaadi."),
    ("cp1252", "Add ½ cup of sugar, 1½ spoons and ¼ of it at 20 °C."),
    ("cp1252", "© 2010 The company"),
    ("cp1252", "Hyvää päivää"),
    ("mac_roman", "Hyvää päivää, mitä sinulle kuuluu tänään?"),
    ("mac_cyrillic", "Как вы себя чувствуете сегодня"),
    ("koi8_u", "Хлопчик пішов до школи, бо хотів учитися, а їжак їв яблука."),
    ("cp857", "Çocuk okula gitti çünkü öğrenmek istiyordu."),
    ("mac_turkish", "Bugün hava çok güzel ve güneş parlıyor."),
    ("cp1254", "The mayor met with İbrahim Çağlayan and Ayşe Yıldız in the town of Muğla."),
    ("cp852", "Árvíztűrő tükörfúrógép"),
    ("mac_latin2", "Árvíztűrő tükörfúrógép"),
    ("iso8859_3", "Ŝi ankoraŭ ne revenis hejmen, diris la patro ĝoje, ĉar ĵaŭdo estas."),
    ("cp1251", "The word слово is in the text, and it means a word."),
    ("cp1253", "The words λόγος και αλήθεια are in the text, and it means a word."),
    ("cp1251", "ВСЕ СЧАСТЛИВЫЕ СЕМЬИ ПОХОЖИ ДРУГ НА ДРУГА"),
]


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def read(name: str, encoding: str | None = None) -> tuple[str, list[str]]:
    """Return the text and what is said about it."""
    report = ReadReport()
    with open_text(name, report, encoding=encoding, any_text=True) as lines:
        return "".join(lines.parts()), report.messages()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.txt"


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_usual_encodings_are_recognized(file: Path, encoding: str) -> None:
    for text in LANGUAGES[encoding]:
        for part in (text, f"{text[:80]}\n", f"{text}\n" * 2000):
            found, messages = read(write(file, part.encode(encoding)))
            assert found == part
            [message] = messages
            assert message.startswith(f"{file}: read as ")
            assert message.endswith(" (recognized; `encoding=NAME` decides).")


@pytest.mark.parametrize(
    "text", ["café", "Über uns", "£5 each", "It’s “fine” – I don’t mind…", "¿Qué?", "naïve", "él\n", "Æ", "Straße"]
)
def test_short_western_text_is_windows_1252(file: Path, text: str) -> None:
    found, [message] = read(write(file, text.encode("cp1252")))
    assert found == text
    assert "read as Windows-1252 (" in message


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("language", ["cp1252", "cp1251", "gb18030", "shift_jis", "cp1256", "cp874", "euc_kr"])
def test_characters_of_two_and_four_bytes_are_recognized(file: Path, encoding: str, language: str) -> None:
    for text in LANGUAGES[language]:
        for part in (f"{text}\n", f"{text[:20]}\n", f"{text}\n" * 1000):
            found, [message] = read(write(file, part.encode(encoding)))
            assert found == part
            assert f"read as {encoding.upper()} (recognized;" in message
    assert read(write(file, "Hi\r\n".encode(encoding)))[0] == "Hi\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", *WIDE])
def test_byte_order_marks(file: Path, encoding: str) -> None:
    text = "日本 x\n"
    content = text.encode(encoding) if encoding in ("utf-8-sig", "utf-16") else f"\ufeff{text}".encode(encoding)
    content = codecs.BOM_UTF32 + text.encode("utf-32")[4:] if encoding == "utf-32" else content
    found, messages = read(write(file, content))
    assert found == text
    assert [message.split("read as ")[1].split()[0] for message in messages] == (
        [] if encoding == "utf-8-sig" else [encoding[:6].upper()]
    )
    assert read(str(file), encoding) == (text, [])
    assert read(str(file), encoding[:6].strip("-")) == (text, [])


def test_utf16_that_is_chosen_needs_no_mark(file: Path) -> None:
    for encoding in WIDE:
        assert read(write(file, "Hi there\n".encode(encoding)), encoding[:6]) == ("Hi there\n", [])


def test_japanese_in_seven_bits(file: Path) -> None:
    text = "日本語のテキスト\nand more\n"
    found, [message] = read(write(file, text.encode("iso2022_jp")))
    assert found == text
    assert "read as ISO2022_JP" in message


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "gb18030", "shift_jis"])
def test_what_comes_late_is_recognized_where_it_comes(file: Path, encoding: str, compress: type[bytes]) -> None:
    text = LANGUAGES[encoding][0]
    for length in (60_000, 65_500, 65_536, 200_000):
        written = f"{'all ASCII ' * (length // 10)}\n{text[:20]}\n{text}\n{'more ' * 30_000}\n{text}\n" + text
        found, [message] = read(write(file, compress(written.encode(encoding))))
        assert found == written
        assert "(recognized; `encoding" in message


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "gb18030", "euc_jp", "big5"])
def test_characters_are_not_cut_where_lines_are(
    file: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    text = LANGUAGES[encoding][0].replace("\n", "") * 30
    write(file, f"ASCII\n{text}\nsecond\n{text}".encode(encoding))
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("rnnlm.text.lines.PIECE_SIZE", size)
        assert read(str(file))[0] == f"ASCII\n{text}\nsecond\n{text}"


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_a_pipe_is_recognized_by_what_has_arrived() -> None:
    end, input_end = os.pipe()
    report = ReadReport()
    lines = read_lines(f"/dev/fd/{end}", report)
    os.write(input_end, b"only ASCII\n" * 10)
    assert [next(lines) for _ in range(10)] == ["only ASCII"] * 10
    [text, *_] = LANGUAGES["cp1251"]
    os.write(input_end, f"{text[:12]}\n{text}\n".encode("cp1251"))
    assert [next(lines), next(lines)] == [text[:12], text]
    assert "read as Windows-1251" in report.messages()[0]
    os.close(input_end)
    assert list(lines) == []
    os.close(end)


def test_utf8_stays_utf8(file: Path) -> None:
    for text in ("", "plain", "naïve café", "日本", "\ufffd" * 1000, "x" * 65_535 + "é", "é" * 100_000, "\ufeffx"):
        assert read(write(file, text.encode())) == (text.removeprefix("\ufeff"), [])


def test_a_few_damaged_bytes_are_replaced_and_said(file: Path) -> None:
    content = "Die Straße ist schön.\n".encode() * 10
    found, messages = read(write(file, content + b"bad \xff\n" * 10))
    assert found.endswith("bad \ufffd\n" * 10)
    assert messages == [f"{file}: 10 bytes that are not UTF-8 replaced by U+FFFD, the first in line 11."]
    with pytest.raises(RnnlmError, match=r"a\.txt: more than 10 bytes up to line 21 are not UTF-8; .*iconv -c\."):
        read(write(file, content + b"bad \xff\n" * 11))
    large = content * 10_000
    assert read(write(file, large + b"bad \xff\n" * 12))[0].endswith("bad \ufffd\n" * 12)
    with pytest.raises(RnnlmError, match=r"a\.txt: more than 12 bytes up to line 100,013"):
        read(write(file, large + b"bad \xff\n" * 13))


def test_a_file_of_two_encodings_is_refused(file: Path) -> None:
    text = LANGUAGES["cp1252"][0] + "\n"
    content = text.encode() * 10 + text.encode("cp1252") * 10
    for encoding in (None, "utf-8"):
        with pytest.raises(RnnlmError, match=r"is UTF-8 and a part likely Windows-1252, .* repair it first"):
            read(write(file, content), encoding)


def test_valid_utf8_is_not_read_as_single_bytes_in_silence(file: Path) -> None:
    text = "Le café est très bon.\nÀ bientôt, à Noël.\n"
    for encoding in ("cp1252", "latin-1", "koi8-r"):
        _, messages = read(write(file, text.encode()), encoding)
        misread = "é".encode().decode(encoding)
        assert messages[0].endswith(
            f", but all lines that are not ASCII are valid UTF-8, whose é becomes {misread}; give"
            " `encoding=utf-8` if this is wrong."
        )
    assert read(write(file, text.encode("cp1252")), "cp1252") == (text, [])
    for encoding in (None, "cp1252"):
        *_, message = read(write(file, text.encode("cp1252") * 45 + text.encode() * 5), encoding)[1]
        assert "but 10 of 100 lines that are not ASCII are valid UTF-8, whose é becomes Ã©; write all" in message
    long = "é" * 200_000
    assert "all lines" in read(write(file, long.encode()), "latin-1")[1][0]
    assert read(write(file, long.encode("latin-1")), "latin-1") == (long, [])


@pytest.mark.parametrize(("encoding", "text"), CONFUSED)
def test_readings_that_are_no_text_do_not_win(file: Path, encoding: str, text: str) -> None:
    for part in (f"{text}\n", f"Text\n{text}\n" * 70):
        found, [message] = read(write(file, part.encode(encoding)))
        assert found == part
        assert "(recognized; " in message


@pytest.mark.parametrize("encoding", ["cp855", "cp869", "johab", "cp500"])
def test_what_fits_no_usual_encoding_is_refused(file: Path, encoding: str) -> None:
    text = {"cp869": LANGUAGES["cp1253"], "johab": LANGUAGES["euc_kr"]}.get(encoding, LANGUAGES["cp1251"])[0]
    text = LANGUAGES["cp1252"][2] if encoding == "cp500" else text
    with pytest.raises(RnnlmError, match="`encoding=NAME`"):
        read(write(file, f"{text}\n".encode(encoding)))


@pytest.mark.parametrize("wrong", ["utf-8", "ascii", "utf-8-sig", "euc_jp"])
def test_a_wrong_choice_is_refused(file: Path, wrong: str) -> None:
    write(file, f"ASCII\n{LANGUAGES['cp1252'][0]}\n".encode("cp1252") * 5)
    with pytest.raises(RnnlmError, match=r"; if it is Windows-1252, give `encoding=Windows-1252`,") as error:
        read(str(file), wrong)
    assert f"are not {name_of(check_encoding(wrong))};" in str(error.value)


@pytest.mark.parametrize(
    ("written", "chosen", "doubtful"),
    [
        ("Käse für Jörg", "shift_jis", "Shift_JIS"),
        ("Cheese for all", "windows-1252", None),
        ("Cheese for all", "utf-16", "UTF-16-LE"),
        ("Käse für Jörg", "utf-8", None),
    ],
)
def test_a_choice_that_looks_wrong_is_followed_and_said(
    file: Path, written: str, chosen: str, doubtful: str | None
) -> None:
    _, messages = read(write(file, f"{written}.\n".encode() * 20), chosen)
    said = f"{file}: read as {doubtful}, as `encoding` says, although it looks like UTF-8."
    assert messages == ([said] if doubtful else [])


def test_a_choice_decides(file: Path) -> None:
    text = "Älter als Öl\n"
    write(file, text.encode("cp1250"))
    assert read(str(file), "Windows-1250") == (text, [])
    assert read(str(file), "koi8-r") == (text.encode("cp1250").decode("koi8-r"), [])
    assert read(write(file, text.encode()), "latin-1")[0] == text.encode().decode("latin-1")
    assert read(write(file, b"x \x81 y"), "cp1252") == (
        "x \ufffd y",
        [f"{file}: 1 byte that is not Windows-1252 replaced by U+FFFD, the first in line 1."],
    )


@pytest.mark.parametrize(
    "name",
    ["rot13", "base64", "hex", "zlib", "idna", "punycode", "undefined", "unicode_escape", "utf-7", "nonsense"],
)
def test_what_is_no_encoding_is_refused(name: str) -> None:
    with pytest.raises(RnnlmError, match=f"^`encoding='{name}'`: there is no such encoding of text; give a name"):
        check_encoding(name)


@pytest.mark.parametrize("name", ["", "\0", "é", "x" * 5000, "../../etc"])
def test_hostile_names_of_encodings_are_refused(name: str) -> None:
    with pytest.raises(RnnlmError, match="there is no such encoding"):
        check_encoding(name)


def test_names_that_are_told_can_be_chosen() -> None:
    for codec in (*CANDIDATES, *WIDE, "utf-16", "utf-32", "iso2022_jp", "utf-8-sig"):
        assert codecs.lookup(check_encoding(name_of(codec))).name == codecs.lookup(codec).name


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    for content in (bytes(range(256)) * 10, os.urandom(0) + bytes(range(1, 32)) + b"\xff\xfe\xfd" * 5):
        with pytest.raises(RnnlmError, match=r"a\.txt: these bytes are not text in any usual encoding; give text"):
            read(write(file, content))
    with pytest.raises(RnnlmError, match=r"more than 10 bytes up to line [\d,]+ are not UTF-8"):
        read(write(file, b"text\n" * 20_000 + bytes(range(256)) * 10))


def test_nuls_do_not_make_utf16(file: Path) -> None:
    for content in (
        b"\0\n",
        b"\n\0",
        b"one\n\ntw\0o\n",
        b'{"a": "\0"}\n',
        b"first\n" + bytes(100_000),
        b"a\0",
        b"a na\0me\0\n" * 2,
    ):
        found, _ = read(write(file, content))
        assert found == content.replace(b"\0", b"").decode()


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", *WIDE, "latin-1", *CANDIDATES, "iso2022_jp", "cp037", "hz", "johab"]


@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff"), max_size=100),
    encoding=st.sampled_from(ENCODINGS),
)
def test_any_text_in_an_encoding_that_is_chosen_reads_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str
) -> None:
    encodable = text.encode(encoding, "ignore").decode(encoding).replace("\r", "").replace("\0", "")
    file = write(tmp_path_factory.mktemp("encoded") / "a.csv.gz", encodable.encode(encoding))
    if unreadable(encodable.encode(encoding)) is None:  # a few characters can be those of a picture
        assert read(file, encoding)[0] == encodable


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff\x1b")))
def test_any_text_in_utf8_is_read_as_utf8(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    if unreadable(text.encode()) is None:
        assert read(write(tmp_path_factory.mktemp("utf8") / "a.bz2", text.encode())) == (text, [])


@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_without_wrong_characters_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = write(tmp_path_factory.mktemp("bytes") / "a", content)
    for encoding in (None, "utf-8", "utf-16", "shift_jis"):
        try:
            found, messages = read(file, encoding)
        except RnnlmError:
            continue
        replaced = found.count("\ufffd") - content.decode("utf-16", "ignore").count("\ufffd")
        assert replaced <= 10 or "\ufffd" in content.decode("utf-16-be", "ignore")
        assert not found.count("\ufffd") or messages or "\ufffd" in content.decode("utf-8", "ignore")
