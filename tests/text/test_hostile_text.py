"""Text made to break things: nothing crashes, nothing good after it is lost, and what is skipped is reported."""

import codecs
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import casual, punkt

from rnnlm.errors import RnnlmError
from rnnlm.text import sentences, tokenizers
from rnnlm.text.cleaning import clean_comment
from rnnlm.text.decoding import MOST_UNDECODABLE
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport
from rnnlm.text.sentences import SentenceSplitter, train_punkt
from rnnlm.text.tokenizers import CHARACTERS, LONE_SURROGATES, make_tokenizer
from rnnlm.text.vocabulary import SpecialTokens, Vocabulary

SNIPPETS = [
    *("\0", "\ufeff", "\r\n", "\n\n", "\x85", "\u2028", "\u2029", "\x1c", "\u3000", "\t", " "),
    *("שלום \u202egnp.exe", "مرحبا", "e\u0301\u0323", "Z\u0351\u036b\u0343", "\u200d", "\ufe0f", "\U0010ffff"),
    *("👩‍👩‍👧‍👦", "🏽", "👍🏿", "🇩🇪", "🇩", "🏴\U000e0067\U000e007f", "ı", "İ", "ſ", "ß", "ﷺ", "½"),
    *(
        '"',
        '""',
        "'",
        "''",
        "`",
        "```",
        "“",
        "’",
        ",",
        "\\",
        "\\u",
        "{",
        "}",
        "[",
        "](",
        "<",
        ">!",
        "**",
        "~~",
        "# ",
    ),
    *(
        "...",
        ". . .",
        "?!",
        "!!!",
        "Mr. J. S.",
        "e.g.",
        "3.14",
        "n't ",
        "cannot",
        "'tis",
        "http://a.b/c_(d)",
        "@a",
    ),
    *("&amp;", "&#", "&#0;", "&#xD800;", f"&#{'9' * 5000};", f"&amp;#{'0' * 5000}65", "[deleted]", "9" * 40),
    *("SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "sentence_end", "</s>", "<unk>"),
]
hostile = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=8)), max_size=12).map("".join)
encodable = hostile.map(lambda text: text.encode(errors="ignore").decode())
# What a line of a file may hold, be it text or not.
raw_lines = st.one_of(
    encodable.map(str.encode),
    st.binary(max_size=40),
    st.sampled_from(
        [b"\xff", b"\xc3", b"\xed\xa0\x80", b"[" * 5000, b'{"body": "a', b'{"body": 1}', b'"', b'a,"b']
    ),
    hostile.map(lambda text: json.dumps({"body": text}).encode(errors="replace")),
).map(lambda line: line.replace(b"\n", b" ").replace(b"\r", b" "))

PUNKT = train_punkt(["Dr. Smith met Mr. Jones. They talked about the U.S. economy. It was late! Was it? Yes."] * 5)
OLDER_PUNKT = PUNKT.copy()
del OLDER_PUNKT["known_abbreviations"]
ALL_SETTINGS = [
    TextSettings(name, lowercase, splits, clean, PUNKT if splits else None)
    for name, lowercase, splits, clean in [
        *(("nltk", True, True, True), ("nltk", False, False, False), ("tweet", True, True, False)),
        *(("tweet", False, False, True), ("whitespace", False, True, False), (CHARACTERS, False, False, True)),
        ("unicode", True, False, False),
    ]
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def read(file: Path, **options: str) -> tuple[list[str], list[str]]:
    """Return the documents of a file and the messages about it."""
    report, documents = ReadReport(), list[str]()
    for text, begins, *_ in read_documents([str(file)], ReaderSettings(**options), report):
        if begins:
            documents.append("")
        documents[-1] += text
    for document in documents:
        document.encode()
    return documents, report.messages()


def write(file: Path, lines: list[bytes]) -> Path:
    """Write lines to a file made anew, because some file systems are slow to empty one."""
    file.unlink(missing_ok=True)
    file.write_bytes(b"\n".join(lines))
    return file


def check_lines(directory: Path, lines: list[bytes]) -> None:
    """Read the lines, and a good document after them, in every format, as UTF-8."""
    text = write(directory / "a.txt", [codecs.BOM_UTF8 + b"first", *lines, b"a good one"])
    wrong = LONE_SURROGATES.findall(b"\n".join(lines).decode(errors="surrogateescape"))
    if len(wrong) > MOST_UNDECODABLE:
        with pytest.raises(RnnlmError, match="are not UTF-8"):
            read(text)
        return
    for documents in ("line", "paragraph", "file"):
        assert read(text, documents=documents)[0][-1].endswith("a good one")

    records = write(
        directory / "a.jsonl", [codecs.BOM_UTF8 + b'{"body": "first"}', *lines, b'{"body": "a good one"}']
    )
    documents, messages = read(records)
    assert documents[-1] == "a good one"
    skipped = sum(int(message.split(": ")[1].split()[0]) for message in messages if "skipped" in message)
    not_blank = sum(bool(line.replace(b"\0", b"").decode(errors="replace").strip()) for line in lines)
    assert len(documents) + skipped == 2 + not_blank

    for header in (b"body", b"id,body"):
        table = write(directory / "a.csv", [codecs.BOM_UTF8 + header, *lines, b"a good one,a good one"])
        documents, _ = read(table)
        assert documents[-1].endswith("a good one")


def check_text(text: str, directory: Path) -> None:
    """Process a text in every way, and store the tokens."""
    for parameters in (PUNKT, OLDER_PUNKT):
        splitter = SentenceSplitter(parameters)
        assert "".join("".join(splitter.split(text)).split()) == "".join(text.split())
    clean_comment(clean_comment(text))
    train_punkt([text])
    for options in ALL_SETTINGS:
        processor = TextProcessor(options)
        found = [token for sentence in processor.sentences(text) for token in sentence]
        assert all(found)
        if options.tokenizer in ("nltk", "whitespace"):
            assert all(token.split() == [token] for token in found)
        processor.detokenize(found)
        special = SpecialTokens()
        names = [special.unknown, special.start, special.end]
        distinct = [*names, *dict.fromkeys(token for token in found if token not in names)]
        vocabulary = Vocabulary(distinct, [1] * len(distinct), options)
        file = directory / "vocabulary.json"
        file.unlink(missing_ok=True)
        vocabulary.save(file)
        assert Vocabulary.load(file) == vocabulary
        ids = vocabulary.encode(found)
        assert not {vocabulary.start_id, vocabulary.end_id} & set(ids)
        assert vocabulary.decode(ids) == [special.unknown if token in names else token for token in found]


@pytest.mark.parametrize("options", ALL_SETTINGS)
def test_special_names_in_a_text_are_words_outside_the_vocabulary(options):
    vocabulary = Vocabulary(["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "say"], [1] * 4, options)
    tokens = ["say", "SENTENCE_END", "UNKNOWN_TOKEN", "SENTENCE_START", "say"]
    assert vocabulary.encode(tokens) == [3, 0, 0, 0, 3]


@pytest.mark.parametrize("text", ["word. " * 500, "1" * 3000, "<a" * 1500, "a!" * 1500, "say it. " * 400])
def test_nltk_gets_text_in_parts_of_bounded_size(monkeypatch, text):
    """Whatever NLTK's patterns make of a part, the time for a text is then linear in its length."""
    given: dict[str, list[str]] = {"nltk": [], "tweet": [], "punkt": [], "words": [], "training": []}

    def spy(owner: type, method: str, name: str) -> None:
        original = getattr(owner, method)

        def record(self: object, text: str, *arguments: object, **options: object) -> object:
            given[name].append(text)
            return original(self, text, *arguments, **options)

        monkeypatch.setattr(owner, method, record)

    spy(tokenizers.NltkTokenizer, "_tokenize", "nltk")
    spy(casual.TweetTokenizer, "tokenize", "tweet")
    spy(punkt.PunktSentenceTokenizer, "tokenize", "punkt")
    spy(punkt.PunktSentenceTokenizer, "text_contains_sentbreak", "words")
    spy(punkt.PunktTrainer, "train", "training")
    monkeypatch.setattr(tokenizers, "LONGEST_PART", 50)
    monkeypatch.setattr(sentences, "LONGEST_SENTENCE", 200)
    monkeypatch.setattr(sentences, "TRAINING_PORTION", 400)

    for name in ("nltk", "tweet"):
        assert make_tokenizer(name).tokenize(text)
        assert max(map(len, given[name])) <= 50
        assert "".join("".join(given[name]).split()) == "".join(text.split())
    train_punkt(text[start : start + 300] for start in range(0, len(text), 300))
    assert max(map(len, given["training"])) <= 400 + 300
    list(SentenceSplitter(PUNKT).split(text))
    assert not given["punkt"]
    assert max(map(len, given["words"]), default=0) <= 100
    list(SentenceSplitter(OLDER_PUNKT).split(text))
    assert max(map(len, given["punkt"])) <= 200


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs limits of resources")
def test_no_text_takes_a_time_that_grows_faster_than_its_length():
    """Fifty texts of the size of a piece need some ten seconds; one quadratic pattern, hours."""
    done = subprocess.run([sys.executable, "-c", HOSTILE_REPETITIONS, json.dumps(SNIPPETS)], check=False)
    assert done.returncode == 0


HOSTILE_REPETITIONS = """
import json, random, resource, sys
from rnnlm.text.cleaning import clean_comment
from rnnlm.text.lines import PIECE_SIZE
from rnnlm.text.sentences import SentenceSplitter, train_punkt
from rnnlm.text.tokenizers import make_tokenizer

resource.setrlimit(resource.RLIMIT_CPU, (150, 150))  # seconds of the processor, whoever else needs it
rng = random.Random(0)
snippets = [snippet for snippet in json.loads(sys.argv[1]) if len(snippet) < 12] + list("aA1 .:;-+_=/()")
split, word, tweet = SentenceSplitter(train_punkt([])).split, make_tokenizer("nltk"), make_tokenizer("tweet")
for _ in range(50):
    text = "".join(rng.choices(snippets, k=rng.randint(1, 4)))
    text = text * (PIECE_SIZE // len(text))
    clean_comment(text)
    list(split(text))
    word.tokenize(text)
    tweet.tokenize(text)
"""


@given(lines=st.lists(raw_lines, max_size=5))
def test_hostile_lines_cost_no_good_document(directory, lines):
    check_lines(directory, lines)


@settings(max_examples=50)
@given(text=encodable)
def test_hostile_text_is_processed_and_stored(directory, text):
    check_text(text, directory)


@pytest.mark.slow
@settings(max_examples=3000)
@given(lines=st.lists(raw_lines, max_size=8))
def test_much_hostile_lines_cost_no_good_document(directory, lines):
    check_lines(directory, lines)


@pytest.mark.slow
@settings(max_examples=1500)
@given(text=encodable)
def test_much_hostile_text_is_processed_and_stored(directory, text):
    check_text(text, directory)


@pytest.mark.slow
def test_what_a_fuzzer_finds_costs_no_good_document(directory):
    """Let atheris look for lines that lead into code not reached before."""
    pytest.importorskip("atheris")
    options = ["-runs=4000", "-max_len=200", "-seed=1", f"-artifact_prefix={directory}/"]
    command = [sys.executable, "-c", FUZZER, str(directory), *options]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


FUZZER = """
import sys
from pathlib import Path
import atheris

with atheris.instrument_imports(include=["rnnlm.text"]):
    from test_hostile_text import check_lines

directory = Path(sys.argv.pop(1))


def check(data):
    check_lines(directory, data.replace(b"\\r", b"").split(b"\\n"))


atheris.Setup(sys.argv, check)
atheris.Fuzz()
"""
