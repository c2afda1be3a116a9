"""JSON lines, and the lists of records in JSON documents."""

import bz2
import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text import csv_rows, json_stream, lines
from rnnlm.text.lines import STDIN
from rnnlm.text.report import ReadReport
from tests.text.reading import guess, read, write

BODIES = ["Yes, I agree.", "Second\none.", 'A "third" one: {"body": "x"}', "[1]"]
RECORDS = [{"id": number, "all_awardings": [{"name": "x"}], "body": body} for number, body in enumerate(BODIES)]
NAMES = ["a.json", "a.jsonl", "RC_2026-01", "askreddit_comments", "a.csv", "a.txt", "a.tsv"]


def as_lines(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize("name", NAMES)
def test_json_lines_under_any_name(tmp_path, name):
    file = write(tmp_path / name, as_lines(RECORDS))
    assert read(file) == BODIES
    assert guess(file) == 'Reading JSON lines, text from \'body\': "Yes, I agree." "Second one."'


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_array_under_any_name(tmp_path, name, indent):
    file = write(tmp_path / name, json.dumps(RECORDS, indent=indent))
    assert read(file) == BODIES
    assert guess(file).startswith("Reading a JSON list, text from 'body': \"Yes, I agree.\"")


def test_what_is_read_in_spite_of_its_name_is_said(tmp_path):
    file, report = write(tmp_path / "a.csv", as_lines(RECORDS)), ReadReport()
    read(file, report=report)
    assert f"{file}: read as jsonl by its content, not as csv by its name (`format` decides)." in report.messages()
    assert read(file, format="txt") == as_lines(RECORDS).splitlines()
    usual = ReadReport()
    read(write(tmp_path / "a.json", as_lines(RECORDS)), report=usual)
    assert usual.messages() == []


def test_what_follows_a_document_and_is_none_is_refused(tmp_path):
    file = write(tmp_path / "a.json", json.dumps(RECORDS, indent=1) + "\nand more\n")
    with pytest.raises(RnnlmError, match=r"a\.json: the JSON is damaged in line \d+, or not complete"):
        read(file)
    large = write(tmp_path / "b.json", json.dumps(RECORDS * 3000, indent=1) + "\nand more\n")
    with pytest.raises(RnnlmError, match=r"b\.json: the JSON is damaged in line [\d,]+, or not complete"):
        read(large)
    assert len(read(large, keep_damaged=True)) == 12_000


def test_one_object_alone_is_a_record(tmp_path):
    assert read(write(tmp_path / "a.json", json.dumps({"title": "x", "text": "alone"}))) == ["alone"]
    assert read(write(tmp_path / "b.json", json.dumps({"title": "x", "text": "alone"}, indent=2))) == ["alone"]


def test_objects_of_many_lines_one_after_another(tmp_path):
    file = write(tmp_path / "a.json", "\n".join(json.dumps(record, indent=2) for record in RECORDS))
    assert read(file) == BODIES


def test_telegram(tmp_path):
    messages = [
        {"id": 1, "type": "service", "actor": "Ann", "text": ""},
        {"id": 2, "type": "message", "from": "Ann", "text": "Hello there", "text_entities": []},
        {
            "id": 3,
            "type": "message",
            "text": [
                "See ",
                {"type": "link", "text": "https://x.y"},
                " and ",
                {"type": "bold", "text": "go"},
                "!",
            ],
            "text_entities": [{"type": "plain", "text": "See "}],
        },
    ]
    texts = ["Hello there", "See https://x.y and go!"]
    chat = {"name": "Group", "type": "private_group", "id": 5, "messages": messages}
    file = write(tmp_path / "result.json", json.dumps(chat, indent=1))
    assert read(file) == texts
    assert guess(file).startswith("Reading the JSON list 'messages', text from 'text': \"Hello there\"")
    account = {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 1},
        "contacts": {"about": "x", "list": [{"first_name": "Bob"}]},
        "chats": {"about": "y", "list": [chat, chat]},
    }
    report = ReadReport()
    file = write(tmp_path / "account.json", json.dumps(account, indent=1))
    assert read(file, report=report) == texts * 2
    assert "list of records left out, 'contacts.list'" in report.messages()[0]


def test_discord(tmp_path):
    messages = [
        {"id": "1", "content": "Hello", "author": {"name": "ann"}, "embeds": [], "mentions": [{"name": "bob"}]},
        {"id": "2", "content": "", "attachments": [{"url": "x"}]},
        {"id": "3", "content": "Bye", "reactions": [{"count": 1}]},
    ]
    export = {"guild": {"id": "0"}, "channel": {"id": "5"}, "messages": messages, "messageCount": 3}
    file = write(tmp_path / "general.json", json.dumps(export, indent=2))
    assert read(file) == ["Hello", "Bye"]
    assert read(file, where=("author.name=ann",)) == ["Hello"]
    assert "the JSON list 'messages', text from 'content'" in guess(file)


def test_of_several_lists_the_one_with_the_text_is_read(tmp_path):
    document = {"users": [{"name": "ann"}] * 3, "posts": [{"body": "one"}, {"body": "two"}], "n": 2}
    report = ReadReport()
    file = write(tmp_path / "a.json", json.dumps(document))
    assert read(file, report=report) == ["one", "two"]
    assert report.messages() == [f"{file}: 1 list of records left out, 'users', the first in line 1."]
    assert read(file, text_column="name") == ["ann"] * 3
    with pytest.raises(RnnlmError, match="no field 'x', only 'name'"):
        read(file, text_column="x")


def test_a_list_far_from_the_beginning_is_found(tmp_path):
    document = {
        "users": [{"name": "x" * 1000}] * 300,
        "chat": {"posts": [{"body": "one"}, 5, {"body": "two"}]},
        "n": [],
    }
    report = ReadReport()
    file = write(tmp_path / "a.json", json.dumps(document))
    assert read(file, report=report) == ["one", "two"]
    assert report.messages() == [
        f"{file}: 1 list of records left out, 'users', the first in line 1.",
        f"{file}: 1 value that is not a JSON object skipped, the first in line 1.",
    ]
    assert guess(file).startswith("Reading the JSON list 'chat.posts', text from 'body'")
    with pytest.raises(RnnlmError, match="no field 'x', only 'name'"):
        read(file, text_column="x")


def test_a_text_in_a_nested_field(tmp_path):
    records = [{"kind": "t1", "data": {"body": body}} for body in BODIES]
    for name, content in (("a.jsonl", as_lines(records)), ("a.json", json.dumps(records))):
        file = write(tmp_path / name, content)
        assert read(file, text_column="data.body") == BODIES
        assert "text from 'data.body'" in guess(file, text_column="data.body")
        with pytest.raises(RnnlmError, match=r"only 'kind', 'data'; .*`text_column=data\.body`"):
            read(file)
        with pytest.raises(RnnlmError, match=r"no field 'data\.text'"):
            read(file, text_column="data.text")
    literal = write(tmp_path / "b.jsonl", as_lines([{"data": {"body": "wrong"}, "data.body": "right"}]))
    assert read(literal, text_column="data.body") == ["right"]


def test_submissions(tmp_path):
    records = [
        {"title": "One", "selftext": "Two", "url": ""},
        {"title": "Three", "selftext": ""},
        {"title": "Four", "selftext": "[removed]"},
        {"title": "Five"},
    ]
    file = write(tmp_path / "RS_2026-01", as_lines(records))
    assert read(file, text_column="title,selftext") == ["One\nTwo", "Three", "Four", "Five"]
    with pytest.raises(RnnlmError, match=r"only 'title', 'selftext', 'url'; .*`text_column=title,selftext`"):
        read(file)


def test_records_are_chosen(tmp_path):
    records = [
        {
            "subreddit": "askscience",
            "score": 5,
            "over_18": False,
            "edited": None,
            "author": {"id": 7},
            "body": "one",
        },
        {"subreddit": "AskReddit", "score": 5, "over_18": True, "edited": 1.5, "body": "two"},
        {"subreddit": "askscience", "score": 12345678901234567890, "body": "three"},
    ]
    file, report = write(tmp_path / "RC_2026-01", as_lines(records)), ReadReport()
    assert read(file, where=("subreddit=askscience",), report=report) == ["one", "three"]
    assert report.messages() == [f"{file}: 1 record left out by `where`, the first in line 2."]
    assert read(file, where=("score=5", "over_18=false")) == ["one"]
    assert read(file, where=("edited=null",)) == ["one", "three"]
    assert read(file, where=("edited=1.5",)) == ["two"]
    assert read(file, where=("author.id=7",)) == ["one"]
    assert read(file, where=("score=12345678901234567890",)) == ["three"]
    with pytest.raises(
        RnnlmError, match="no record has the field 'subredit' of `where`, but 'subreddit', 'score'"
    ):
        read(file, where=("subredit=askscience",))


@pytest.mark.parametrize("indent", [None, 1])
def test_objects_under_keys_are_records(tmp_path, indent):
    records = {f"t{number}": {**record, "replies": [{"body": "no"}]} for number, record in enumerate(RECORDS)}
    for document, reading in (
        (records, "the values of a JSON object"),
        ({"version": {"number": 1}, "comments": records}, "the values of the JSON object 'comments'"),
    ):
        file, report = write(tmp_path / "a.json", json.dumps(document, indent=indent)), ReadReport()
        assert read(file, report=report) == BODIES
        assert report.messages() == []
        assert guess(file).startswith(f"Reading {reading}, text from 'body'")
    of_one = write(tmp_path / "b.json", json.dumps({"body": "one", "replies": records}, indent=indent))
    assert read(of_one) == ["one"]
    listed = write(tmp_path / "c.json", json.dumps({"users": records, "posts": [{"body": "one"}]}, indent=indent))
    assert read(listed) == ["one"]
    many = {str(number): {"body": f"Text {number} of many.", "n": [{"x": 1}]} for number in range(10_000)}
    assert len(read(write(tmp_path / "d.json", json.dumps(many, indent=indent)))) == 10_000


def test_texts_without_fields(tmp_path):
    texts = ["Yes, I agree.", "Second\none."]
    for name in ("a.json", "a.txt", "a"):
        assert read(write(tmp_path / name, json.dumps(texts))) == texts
    file = write(tmp_path / "b.jsonl", as_lines(texts))
    assert read(file) == texts
    assert guess(file) == 'Reading JSON lines, text from \'text\': "Yes, I agree." "Second one."'
    with pytest.raises(RnnlmError, match="no field 'body', only 'text'"):
        read(file, text_column="body")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first", ['"score": 5, "body": "cut"}', '{"body": "cut', "# of 2026-01", "", "[]"])
def test_json_lines_after_a_bad_one(tmp_path, name, first):
    file, report = write(tmp_path / name, f"{first}\n{as_lines(RECORDS)}"), ReadReport()
    assert read(file, report=report) == BODIES
    skipped = f"{file}: 1 line that is not a JSON object skipped, the first in line 1."
    assert (skipped in report.messages()) == bool(first)


def test_a_listing_of_reddit(tmp_path):
    listings = [
        {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": {"title": "A", "selftext": "B"}}]}},
        {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {"body": "C"}}]}},
    ]
    file = write(tmp_path / "a.json", json.dumps(listings))
    with pytest.raises(RnnlmError, match=r"`text_column=data\.body`"):
        read(file)
    assert read(file, text_column="data.body") == ["C"]


def test_names_of_fields_without_regard_to_case(tmp_path):
    assert read(write(tmp_path / "a.jsonl", '{"Body": "one"}\n{"Body": "two"}\n')) == ["one", "two"]


@pytest.mark.parametrize(
    "text",
    [
        "{Verse 1}\nThe sun, the moon\n",
        "[Verse 1]\nThe sun, the moon\n",
        "[1] A footnote, and more.\n[2] Another: one.\n",
        "{{template}}, and then: text\n",
        '["Where, oh where," she said\n',
        "[2026-01-01 10:00:00] started: {a, b}\n",
        '{"a": 1} is an object, and this is prose: so\nit goes on, and on\n',
        "- [ ] to do\n- [x] done\n",
        "{\n  int a, b;\n  c: d\n}\n",
        "[]\n",
        'As an example:\n{"body": "one"}\n{"body": "two"}\nand so on\n',
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a", "a.md"])
def test_text_that_only_looks_like_json_stays_text(tmp_path, name, text):
    assert read(write(tmp_path / name, text)) == text.splitlines()


def test_json_without_records_is_refused_under_its_name(tmp_path):
    for content in ('"text"', "[1, 2, 3]", '[["a", "b"]]', "[Verse 1]", "text"):
        with pytest.raises(RnnlmError, match=r"a\.json: this is not JSON that holds records or texts; `format=t"):
            read(write(tmp_path / "a.json", content))


def test_bad_records_cost_themselves_only(tmp_path):
    middle = [
        "{\"body\": 'x'}",
        '{"body": "deep", "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"body": "huge", "id": ' + "9" * 5_000 + "}",
        '"a string"',
        "17",
        "[]",
        '{"body": null}',
        '{"body": NaN}',
        '{"body": "a\\ud800b"}',
    ]
    file, report = (
        write(tmp_path / "a.json", '[{"body": "first"},\n' + ",\n".join(middle) + ',\n{"body": "last"}]'),
        ReadReport(),
    )
    assert read(file, report=report) == ["first", "huge", "a\ufffdb", "last"]
    assert report.messages() == [
        f"{file}: 2 records skipped that are not JSON, nested too deeply or longer than 16,000,000 characters,"
        " the first in line 2.",
        f"{file}: 2 values that are not JSON objects skipped, the first in line 6.",
        f"{file}: 3 records without the text field skipped, the first in line 5.",
        f"{file}: 1 lone surrogate replaced by U+FFFD, the first in line 10.",
    ]


@pytest.mark.parametrize("cut", [50, 60, 100, 139])
def test_a_damaged_document_is_refused_or_kept_up_to_there(tmp_path, cut):
    whole = json.dumps(
        {"name": "x", "messages": [{"text": "one"}, {"text": "two"}, {"text": "three, and more"}] * 2}
    )
    file, report = write(tmp_path / "a.json", whole[:cut]), ReadReport()
    with pytest.raises(
        RnnlmError, match=r"a\.json: the JSON is damaged in line 1, or not complete; .*`keep_damaged`"
    ):
        read(file)
    texts = read(file, keep_damaged=True, report=report)
    assert texts == ["one", "two", "three, and more", "one", "two"][: len(texts)]
    assert texts
    assert "1 place where the JSON is damaged, what follows left out" in report.messages()[0]


@pytest.mark.parametrize(
    "content", ["[{" + '"a":[' * 300_000, '[{"body": "x"}, ' + "[" * 1_000_000, '{"a":' * 300_000]
)
@pytest.mark.parametrize("name", ["a.json", "a"])
def test_brackets_without_end_are_bounded(tmp_path, content, name):
    with contextlib.suppress(RnnlmError):
        read(write(tmp_path / name, content))


def test_of_a_document_on_one_damaged_line_the_first_records_are_kept(tmp_path):
    texts = [f"Text {number} of many." for number in range(50_000)]
    whole = gzip.compress(json.dumps([{"body": text} for text in texts]).encode())
    file, report = write(tmp_path / "a.json.gz", whole[: len(whole) // 2]), ReadReport()
    with pytest.raises(RnnlmError, match=r"reading stopped at byte [\d,]+ \(the compressed data ends early\);"):
        read(file)
    kept = read(file, report=report, keep_damaged=True)
    assert len(kept) > 10_000
    assert kept == texts[: len(kept)]
    assert report.messages()[0].endswith("(the compressed data ends early); what comes after that is left out.")


def test_a_record_that_is_too_long_is_skipped(tmp_path, monkeypatch):
    for module in (lines, csv_rows, json_stream):
        monkeypatch.setattr(module, "MAX_RECORD", 100_000)
    huge = {"body": "x\\" * 200_000, "more": [{"a": 1}, "]}", 2.5]}
    document = [{"body": "first"}, huge, {"body": "last"}]
    file, report = write(tmp_path / "a.json", json.dumps(document)), ReadReport()
    assert read(file, report=report) == ["first", "last"]
    assert (
        "1 record skipped that is not JSON, nested too deeply or longer than 100,000 characters"
        in report.messages()[0]
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_documents_are_streamed(tmp_path):
    """In a list of 40 MB, after one of 20 MB that is not read; a record may have 20 MB as well."""
    file = tmp_path / "a.json"
    with file.open("w") as stream:
        stream.write('{"users": [{"name": "ann"}')
        stream.write((', {"name": "' + "x" * 1000 + '"}') * 20_000)
        stream.write('], "huge": "' + "y" * 20_000_000 + '", "posts": [{"body": "first"}')
        stream.write((', {"body": "' + "word " * 400 + '", "n": [1, {"a": "b"}]}') * 20_000)
        stream.write(', {"body": "last"}]}')
    code = """
import sys
from rnnlm.text.report import ReadReport
from rnnlm.text.readers import ReaderSettings, read_documents

def peak():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])

pieces = read_documents(sys.argv[1:], ReaderSettings(text_column="body"), ReadReport())
before = peak()
number = sum(1 for _ in pieces)
print(number, peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    number, kibibytes = map(int, done.stdout.split())
    assert number == 20_002
    assert kibibytes < 30_000


@pytest.mark.parametrize("content", [as_lines(RECORDS), json.dumps(RECORDS), json.dumps({"m": RECORDS}, indent=2)])
def test_standard_input_and_pipes(tmp_path, monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert read(STDIN) == BODIES
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bz2.compress(content.encode()))))
    assert read(STDIN) == BODIES


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("content", [as_lines(RECORDS), json.dumps(RECORDS), json.dumps({"m": RECORDS}, indent=2)])
def test_a_named_pipe_that_gives_little_at_a_time(tmp_path, content):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def feed() -> None:
        with pipe.open("wb", buffering=0) as stream:
            for start in range(0, len(content), 7):
                stream.write(content[start : start + 7].encode())

    feeder = threading.Thread(target=feed)
    feeder.start()
    assert read(pipe) == BODIES
    feeder.join()


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
records = st.lists(
    st.fixed_dictionaries({"body": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))},
                          optional={"before": values, "x.y": values}),
    min_size=1,
)  # fmt: skip


@given(found=records, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_lines_lists_and_lists_in_objects_are_read_alike(
    tmp_path_factory: pytest.TempPathFactory, found: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    directory = tmp_path_factory.mktemp("json")
    texts = [text for text in (record["body"] for record in found) if text]
    inside = {"name": "x", "n": [1, 2], "posts": found, "end": {"a": []}}
    for name, content in (
        ("a.jsonl", "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in found)),
        ("a.json", json.dumps(found, indent=indent, ensure_ascii=ascii_only)),
        ("b.json", json.dumps(inside, indent=indent, ensure_ascii=ascii_only)),
    ):
        assert read(write(directory / name, content)) == texts
