"""Tags and spellings as they are stored."""

import json

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import tags as module
from rnnlm.text.tags import TAGS_FILE, Tags, load_spellings, save_spellings


def test_ids():
    tags = Tags(["NOUN", "VERB"], [5, 3])
    assert len(tags) == 2
    assert tags.encode(["VERB", "X", "NOUN"]) == [2, 0, 1]


def test_saved_and_loaded(tmp_path):
    tags = Tags(["S", "B", "E"], [5, 3, 3], segmented=True)
    tags.save(tmp_path / TAGS_FILE)
    assert Tags.load(tmp_path) == Tags.load(tmp_path / TAGS_FILE) == tags
    assert Tags.from_bytes(tags.content("x"), "x") == tags
    assert tags != Tags(["S", "B", "E"], [5, 3, 3])
    save_spellings(tmp_path / "s.json", ["A", "a", "\u2028"])
    assert load_spellings(tmp_path / "s.json") == ["A", "a", "\u2028"]


def test_tags_are_different():
    with pytest.raises(ValueError, match="distinct"):
        Tags(["A", "A"], [1, 1])


GOOD = {"format_version": 1, "tags": ["A", "B"], "counts": [2, 1], "segmented": False}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format version 2 is not 1"),
        ({"tags": ["A", "A"]}, "different strings"),
        ({"tags": ["A", ""]}, "different strings"),
        ({"tags": ["A", 3]}, "different strings"),
        ({"tags": "AB"}, "different strings"),
        ({"counts": [1]}, "one whole number"),
        ({"counts": [1, -1]}, "one whole number"),
        ({"counts": [1, True]}, "one whole number"),
        ({"segmented": 1}, "true or false"),
        ({"segmented": True}, "true or false"),
    ],
)
def test_damage_is_named(tmp_path, change, message):
    (tmp_path / TAGS_FILE).write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(RnnlmError, match=rf"tags\.json: .*{message}"):
        Tags.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b"[" * 100_000, b'{"format_version": 1}', b"7" * 300])
def test_what_is_no_json_of_tags(tmp_path, monkeypatch, content):
    monkeypatch.setattr(module, "LARGEST_FILE", 200_000)
    file = tmp_path / "t.json"
    file.write_bytes(content)
    for load in (Tags.load, load_spellings):
        with pytest.raises(RnnlmError, match=r"t\.json: .*build the dataset again"):
            load(file)


def test_spellings_are_checked(tmp_path):
    file = tmp_path / "s.json"
    for spellings in (["a", ""], ["a", 1], "a"):
        file.write_text(json.dumps({"format_version": 1, "spellings": spellings}))
        with pytest.raises(RnnlmError, match=r"s\.json: 'spellings' must be"):
            load_spellings(file)


def test_files_that_are_missing_or_too_long(tmp_path, monkeypatch):
    with pytest.raises(RnnlmError, match=r"tags\.json: cannot be read"):
        Tags.load(tmp_path / TAGS_FILE)
    tags = Tags(["A" * 100], [1])
    tags.save(tmp_path / TAGS_FILE)
    monkeypatch.setattr(module, "LARGEST_FILE", 50)
    with pytest.raises(RnnlmError, match=r"tags\.json: .*longer than"):
        Tags.load(tmp_path)
    with pytest.raises(RnnlmError, match=r"tags\.json: the tags take more"):
        tags.save(tmp_path / TAGS_FILE)
