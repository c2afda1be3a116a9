import gc
import io
import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.building.split import SplitSettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.text.documents import Piece
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.sentences import train_punkt
from rnnlm.text.tokenizers import CHARACTERS
from rnnlm.text.vocabulary import SpecialTokens, Vocabulary

WORDS = TextSettings("whitespace", lowercase=False)
LETTERS = TextSettings(CHARACTERS, lowercase=False)
ALL_TRAIN = SplitSettings(valid_fraction=0, test_fraction=0)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def sentences(dataset: Dataset, split: str) -> list[list[str]]:
    """Return the sentences of a split as tokens, without START and END, which are checked."""
    part = dataset.split(split)
    decoded = [dataset.vocabulary.decode(part.sentence(k)) for k in range(part.num_sentences)]
    for sentence in decoded:
        assert sentence[0] == dataset.vocabulary.start_token
        assert sentence[-1] == dataset.vocabulary.end_token
    return [sentence[1:-1] for sentence in decoded]


def files_of(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(path.iterdir())}


def test_counting_as_in_the_penn_treebank(tmp_path):
    train = write(tmp_path / "train.txt", " the cat sat \n the <unk> sat \n")
    valid = write(tmp_path / "valid.txt", " the dog \n")
    test = write(tmp_path / "test.txt", " a cat \n <unk> \n")
    result = build_dataset(
        [train],
        tmp_path / "out",
        text=WORDS,
        vocabulary=VocabularySettings(special=SpecialTokens(unknown="<unk>")),
        split=SplitSettings(valid, test),
    )
    assert result.vocabulary.tokens == ["<unk>", "SENTENCE_START", "SENTENCE_END", "sat", "the", "cat"]
    assert result.vocabulary.counts == [1, 2, 2, 2, 2, 1]
    assert result.least_frequent == ("cat", 1)
    assert result.to_dict() == {
        "documents": 5,
        "sentences": 5,
        "tokens": 16,
        "vocabulary_size": 6,
        "unique_tokens": 4,
        "unknown_rate": 4 / 16,
        "least_frequent": {"token": "cat", "count": 1},
        "splits": {
            "train": {"sentences": 2, "tokens": 8, "characters": 30, "unknown_tokens": 1, "unknown_rate": 1 / 8},
            "valid": {"sentences": 1, "tokens": 3, "characters": 10, "unknown_tokens": 1, "unknown_rate": 1 / 3},
            "test": {"sentences": 2, "tokens": 5, "characters": 16, "unknown_tokens": 2, "unknown_rate": 2 / 5},
        },
    }
    dataset = Dataset.open(result.path)
    assert sentences(dataset, "test") == [["<unk>", "cat"], ["<unk>"]]
    assert dataset.test.num_tokens == 5


def test_comments(tmp_path):
    file = write(
        tmp_path / "a.csv",
        'body\n"Don\'t *panic*. It is fine &amp; well."\n[deleted]\n"One line\n\nanother"\nsay SENTENCE_END now\n',
    )
    settings = TextSettings(sentences=True, clean=True, lowercase=False)
    result = build_dataset([file], tmp_path / "out", text=settings, split=ALL_TRAIN)
    assert result.documents == 3
    dataset = Dataset.open(result.path)
    assert sentences(dataset, "train") == [
        ["Do", "n't", "panic", "."],
        ["It", "is", "fine", "&", "well", "."],
        ["One", "line"],
        ["another"],
        ["say", "UNKNOWN_TOKEN", "now"],
    ]
    assert dataset.vocabulary.settings.punkt is not None


def test_vocabulary_is_cut_by_size_and_count_with_ties_in_order(tmp_path):
    file = write(tmp_path / "a.txt", "d d d c c b b a\n")

    def words(**choice: int) -> list[str]:
        result = build_dataset(
            [file],
            tmp_path / "out",
            text=WORDS,
            vocabulary=VocabularySettings(**choice),
            split=ALL_TRAIN,
            overwrite=True,
        )
        return result.vocabulary.tokens[3:]

    assert words() == ["d", "b", "c", "a"]
    assert words(size=5) == ["d", "b"]
    assert words(min_count=2) == ["d", "b", "c"]
    assert words(min_count=9) == []


def test_without_settings_text_is_processed_as_the_command_does(tmp_path):
    file = write(tmp_path / "a.csv", "body\nOne &amp; two. Three!\n")
    result = build_dataset([file], tmp_path / "words", split=ALL_TRAIN)
    assert sentences(Dataset.open(result.path), "train") == [["one", "&", "two", "."], ["three", "!"]]
    file = write(tmp_path / "a.txt", "One.\nTwo.\n")
    assert build_dataset([file], tmp_path / "lines", split=ALL_TRAIN).total.sentences == 2
    assert build_dataset([file], tmp_path / "file", text=LETTERS, split=ALL_TRAIN).total.sentences == 1


def test_only_training_words_are_counted(tmp_path):
    train, test = write(tmp_path / "a.txt", "a\n" * 3), write(tmp_path / "b.txt", "b\n" * 9)
    result = build_dataset([train], tmp_path / "out", text=WORDS, split=SplitSettings(None, test, 0))
    assert result.vocabulary.tokens[3:] == ["a"]
    assert result.unique_tokens == 1


def test_splits_by_document_have_exact_sizes_and_keep_order(tmp_path):
    lines = [f"w{index:03d}" for index in range(200)]
    file = write(tmp_path / "a.txt", "\n".join(lines))

    def build(seed: int) -> list[list[str]]:
        result = build_dataset(
            [file],
            tmp_path / "out",
            text=LETTERS,
            reader=ReaderSettings(documents="line"),
            split=SplitSettings(valid_fraction=0.1, test_fraction=0.05, seed=seed),
            overwrite=True,
        )
        dataset = Dataset.open(result.path)
        return [["".join(s) for s in sentences(dataset, name)] for name in ("train", "valid", "test")]

    parts = build(0)
    assert [len(part) for part in parts] == [170, 20, 10]
    assert sorted(line for part in parts for line in part) == lines
    assert all(part == sorted(part) for part in parts)
    assert parts == build(0) != build(1)


@pytest.mark.parametrize("documents", [3, 4, 10])
def test_every_wanted_split_gets_a_document(tmp_path, documents):
    file = write(tmp_path / "a.txt", "word\n" * documents)
    result = build_dataset([file], tmp_path / "out", text=WORDS)
    assert [result.splits[name].sentences for name in ("valid", "test")] == [1, 1]
    assert result.splits["train"].sentences == documents - 2


def test_one_document_is_divided_by_position_between_tokens(tmp_path):
    text = "".join(chr(97 + index % 26) for index in range(1000))
    result = build_dataset(
        [write(tmp_path / "a.txt", text)],
        tmp_path / "out",
        text=LETTERS,
        reader=ReaderSettings(documents="file"),
    )
    dataset = Dataset.open(result.path)
    parts = ["".join(sentences(dataset, name)[0]) for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [900, 50, 50]
    assert "".join(parts) == text
    assert [result.splits[name].characters for name in ("train", "valid", "test")] == [901, 51, 51]


def test_one_document_of_sentences_is_divided_at_sentence_ends(tmp_path):
    text = "This is a sentence. " * 100
    result = build_dataset(
        [write(tmp_path / "a.txt", text)],
        tmp_path / "out",
        text=TextSettings(sentences=True),
        split=SplitSettings(valid_fraction=0.1, test_fraction=0.001),
    )
    assert [part.sentences for part in result.splits.values()] == [89, 10, 1]
    assert result.documents == 1


def test_documents_in_many_pieces_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.text.lines.PIECE_SIZE", 7)
    monkeypatch.setattr("rnnlm.text.documents.PIECE_SIZE", 7)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 10)
    monkeypatch.setattr(spool, "BLOCK_TOKENS", 5)
    monkeypatch.setattr(spool, "BLOCK_SEGMENTS", 2)
    text = "the cat sat on the mat and the hat sat on the cad and the mat "
    result = build_dataset(
        [write(tmp_path / "a.txt", text)],
        tmp_path / "out",
        text=LETTERS,
        reader=ReaderSettings(documents="file"),
        split=SplitSettings(valid_fraction=0.2, test_fraction=0.2),
    )
    dataset = Dataset.open(result.path)
    parts = [sentences(dataset, name) for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [1, 1, 1]
    assert "".join("".join(part[0]) for part in parts) == text
    assert result.total.characters == len(text) + 3


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.text("ab \n", min_size=1, max_size=12), min_size=3, max_size=12),
    fractions=st.sampled_from([(0, 0), (0.05, 0.05), (0.5, 0), (0, 0.4), (0.3, 0.7), (0, 1)]),
    documents=st.sampled_from(["line", "file"]),
)
def test_the_splits_hold_every_token(tmp_path_factory, lines, fractions, documents):
    directory = tmp_path_factory.mktemp("split")
    text = "x".join(lines)
    vocabulary = Vocabulary(["?", "<", ">", "a", "b", "x", " ", "\n"], [0] * 8, LETTERS)
    result = build_dataset(
        [write(directory / "a.txt", text)],
        directory / "out",
        reader=ReaderSettings(documents=documents),
        vocabulary=vocabulary,
        split=SplitSettings(None, None, *fractions),
    )
    dataset = Dataset.open(result.path)
    tokens = [token for name in result.splits for sentence in sentences(dataset, name) for token in sentence]
    assert sorted(tokens) == sorted(text.replace("\n", "") if documents == "line" else text)
    assert result.total.characters == len(tokens) + result.total.sentences


def test_an_existing_vocabulary_is_extended_by_the_most_frequent_new_words(tmp_path):
    old = Vocabulary(["<unk>", "<", ">", "the", "cat", "sat"], [9] * 6, TextSettings(tokenizer="whitespace"))
    text = tmp_path / "text.txt"
    text.write_text("the dog ran\nthe dog sat\nthe bird < ran\n")
    result = build_dataset(
        [str(text)],
        tmp_path / "out",
        vocabulary=VocabularySettings(size=len(old) + 2, extends=old),
        split=SplitSettings(valid_fraction=0, test_fraction=0),
    )
    assert result.vocabulary.tokens == [*old.tokens, "dog", "ran"]
    assert result.vocabulary.counts == [2, 3, 3, 3, 0, 1, 2, 2]
    assert result.least_frequent == ("ran", 2)
    assert result.vocabulary.settings == old.settings


def test_an_existing_vocabulary_brings_its_settings(tmp_path):
    first = build_dataset(
        [write(tmp_path / "a.txt", "The cat.\nA dog.\nB c.\n")], tmp_path / "one", split=ALL_TRAIN
    )
    result = build_dataset(
        [write(tmp_path / "b.txt", "The new cat.\n")],
        tmp_path / "two",
        vocabulary=Vocabulary.load(first.path),
        split=SplitSettings(valid_fraction=0, test_fraction=1),
    )
    dataset = Dataset.open(result.path)
    assert sentences(dataset, "test") == [["the", "UNKNOWN_TOKEN", "cat", "."]]
    assert dataset.vocabulary == first.vocabulary
    assert dataset.train.num_tokens == dataset.train.num_sentences == 0
    assert result.unique_tokens == 0


BUILD = """
import sys
from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import *

if __name__ == "__main__":  # workers import this file too
    encode.CHUNK_CHARACTERS, spool.MAX_TYPES = 700, 60
    build_dataset(["a.jsonl"], sys.argv[2], split=SplitSettings("b.txt"), workers=int(sys.argv[1]))
"""


def test_runs_workers_and_hash_seeds_do_not_change_a_byte(tmp_path):
    comments = [{"body": f"Comment {i}, isn't it? &amp; word{i * 7 % 31} e.g. Mr. A. Next."} for i in range(150)]
    write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, comments)))
    write(tmp_path / "b.txt", "Comment 1.\nDr. B. too!\n" * 30)
    write(tmp_path / "build.py", BUILD)
    built = []
    for workers, hash_seed in (("1", "1"), ("1", "2"), ("2", "3")):
        subprocess.run(
            [sys.executable, "build.py", workers, f"out{hash_seed}"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
        )
        built.append(files_of(tmp_path / f"out{hash_seed}"))
    assert len(built[0]) == 8
    assert built[0] == built[1] == built[2]


def test_rare_types_are_forgotten_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_TYPES", 40)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 100)
    monkeypatch.setattr(spool, "BLOCK_TOKENS", 16)
    file = write(tmp_path / "a.txt", "".join(f"the cat rare{index} sat\n" for index in range(500)))
    result = build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    assert result.forgot_types
    assert result.vocabulary.tokens[3:6] == ["cat", "sat", "the"]
    assert result.vocabulary.counts[3:6] == [500, 500, 500]
    assert result.unique_tokens <= 60
    dataset = Dataset.open(result.path)
    assert sentences(dataset, "train")[250] == ["the", "cat", "UNKNOWN_TOKEN", "sat"]
    assert len(dataset.vocabulary) + result.splits["train"].unknown_tokens == 3 + 3 + 500


def test_long_types_are_forgotten_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_TYPE_CHARACTERS", 10_000)
    monkeypatch.setattr(encode, "CHUNK_CHARACTERS", 3000)
    held = []

    def record(self: spool.Spool) -> None:
        forget(self)
        held.append(sum(map(len, self.types)))

    forget = spool.Spool._forget_rare_types
    monkeypatch.setattr(spool.Spool, "_forget_rare_types", record)
    file = write(tmp_path / "a.txt", "".join(f"the cat {index:01000} sat\n" for index in range(200)))
    result = build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    assert len(held) > 10
    assert max(held) <= 5_000
    assert result.vocabulary.counts[3:6] == [200, 200, 200]
    assert result.splits["train"].unknown_tokens + len(result.vocabulary) - 6 == 200


def test_large_vocabularies_use_wider_ids(tmp_path):
    file = write(tmp_path / "a.txt", " ".join(f"w{index}" for index in range(300)))
    result = build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    dataset = Dataset.open(result.path)
    assert dataset.train.ids.dtype == np.uint16
    small = build_dataset([file], tmp_path / "small", text=LETTERS, split=ALL_TRAIN)
    assert Dataset.open(small.path).train.ids.dtype == np.uint8


def test_standard_input_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"One. Two.\nThree.\nFour.\n")))
    result = build_dataset(["-"], tmp_path / "out", text=TextSettings(sentences=True), split=ALL_TRAIN)
    assert result.total.sentences == 4


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_corpus_is_refused(tmp_path, text):
    file = write(tmp_path / "a.txt", text)
    with pytest.raises(RnnlmError, match=r"a\.txt: there is no text in it"):
        build_dataset([file], tmp_path / "out", text=WORDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "content", "reasons"),
    [
        ("a.jsonl", '[]\n{"body": ""}\n{"body": "[deleted]"}\n{"body": " "}\nx\n',
         "2 documents without a token; {0}: 2 lines that are not JSON objects skipped, the first in line 1;"
         " {0}: 1 record whose text is empty skipped, the first in line 2"),
        ("a.csv", 'id,body\n1\n2\n3,""\n4,[removed]\n',
         "1 document without a token; {0}: 2 rows without the text column skipped, the first in line 2;"
         " {0}: 1 row whose text is empty skipped, the first in line 4"),
        ("a.txt", "\0\n\n\n", "{0}: 1 NUL character removed, the first in line 1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("workers", [1, 2])
def test_where_nothing_is_left_what_was_skipped_is_said(tmp_path, name, content, reasons, workers):
    file = write(tmp_path / name, content)
    with pytest.raises(RnnlmError) as refused:
        build_dataset([file], tmp_path / "out", workers=workers)
    assert str(refused.value) == (
        f"{file}: there is no text in it ({reasons.format(file)}); give an input that has some."
    )


def test_only_what_was_skipped_in_the_empty_file_is_said(tmp_path):
    file, test = write(tmp_path / "a.txt", "text\0\n" * 3), write(tmp_path / "b.jsonl", "x\n")
    message = f"{test}: there is no text in it ({test}: 1 line that is not a JSON"
    with pytest.raises(RnnlmError, match=re.escape(message)):
        build_dataset([file], tmp_path / "out", text=WORDS, split=SplitSettings(None, test))


def test_many_reasons_are_cut(tmp_path):
    for number in range(9):
        write(tmp_path / f"{number}.jsonl", "x\n")
    with pytest.raises(RnnlmError, match=r"0\.jsonl.*4\.jsonl: 1 line [^;]*; \.\.\.\); give an input"):
        build_dataset([str(tmp_path)], tmp_path / "out")


def test_an_empty_test_file_is_refused(tmp_path):
    file, test = write(tmp_path / "a.txt", "text\n" * 3), write(tmp_path / "b.txt", "")
    with pytest.raises(RnnlmError, match=r"b\.txt: there is no text in it"):
        build_dataset([file], tmp_path / "out", text=WORDS, split=SplitSettings(None, test))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": SplitSettings(None, None, 0.6, 0.6)}, "--valid-fraction 0.6 and --test-fraction 0.6"),
        ({"split": SplitSettings(None, None, -0.1, 0)}, "--valid-fraction -0.1"),
        ({"split": SplitSettings(None, None, 0, 1)}, "no training text"),
        ({"vocabulary": VocabularySettings(size=3)}, "--vocab-size 3 leaves no room"),
        ({"vocabulary": VocabularySettings(special=SpecialTokens("x", "x", "y"))}, "three different names"),
        ({"vocabulary": VocabularySettings(special=SpecialTokens(""))}, "three different names"),
        ({"vocabulary": VocabularySettings(special=SpecialTokens("\udcff"))}, "not valid Unicode"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path, arguments, message):
    file = write(tmp_path / "a.txt", "some text\nand more\nand more\n")
    with pytest.raises(RnnlmError, match=message):
        build_dataset([file], tmp_path / "out", text=WORDS, **arguments)


def test_too_little_to_divide(tmp_path):
    with pytest.raises(RnnlmError, match=r"1 token, too few to divide in 3"):
        build_dataset([write(tmp_path / "a.txt", "word")], tmp_path / "out", text=WORDS)


def test_only_a_dataset_is_overwritten(tmp_path):
    file, out = write(tmp_path / "a.txt", "a b c\n"), tmp_path / "out"
    build_dataset([file], out, text=WORDS, split=ALL_TRAIN)
    with pytest.raises(RnnlmError, match=r"out: this dataset exists; .* --overwrite"):
        build_dataset([file], out, text=WORDS)
    build_dataset([file], out, text=LETTERS, split=ALL_TRAIN, overwrite=True)
    assert Dataset.open(out).vocabulary.settings.level == "char"
    (tmp_path / "mine").mkdir()
    with pytest.raises(RnnlmError, match="mine: this is no dataset, so it is not overwritten"):
        build_dataset([file], tmp_path / "mine", text=WORDS, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "mine", "out"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize(
    "where", ["build.encode_documents", "build.write_splits", "build._write_metadata", "publish.sync"]
)
def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch, error, where):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    before = files_of(tmp_path / "out")

    def fail(*arguments: object, **keywords: object) -> None:
        raise error

    monkeypatch.setattr(f"rnnlm.dataset.building.{where}", fail)
    with pytest.raises(RnnlmError if isinstance(error, OSError) else type(error)) as raised:
        build_dataset([file], tmp_path / "out", text=LETTERS, split=ALL_TRAIN, overwrite=True)
    if isinstance(error, OSError):
        assert str(raised.value).startswith(f"{tmp_path}/out: the dataset cannot be written (No space left on")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("failing", ["out", ".tmp"])
def test_a_failed_swap_brings_the_old_dataset_back(tmp_path, monkeypatch, error, failing):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    before = files_of(tmp_path / "out")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith(failing):
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RnnlmError if isinstance(error, OSError) else type(error)):
        build_dataset([file], tmp_path / "out", text=LETTERS, split=ALL_TRAIN, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_the_next_build_clears_what_a_killed_one_left(tmp_path, renames):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    before = files_of(tmp_path / "out")
    code = (
        "import os, sys\n"
        "from rnnlm.dataset.building.build import *\n"
        "rename, left = Path.rename, [None] * int(sys.argv[1])\n"
        "Path.rename = lambda self, target: rename(self, target) if left and not left.pop() else os._exit(9)\n"
        "build_dataset(['a.txt'], 'out', text=TextSettings('characters'), overwrite=True)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(renames)], cwd=tmp_path, check=False)
    assert killed.returncode == 9
    assert len(list(tmp_path.iterdir())) > 2
    with pytest.raises(RnnlmError, match="this dataset exists"):
        build_dataset([file], tmp_path / "out", text=WORDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]
    if renames < 2:
        assert files_of(tmp_path / "out") == before
    else:
        assert Dataset.open(tmp_path / "out").vocabulary.settings.level == "char"


def test_what_a_living_process_works_on_is_left_alone(tmp_path):
    working = tmp_path / f".out.{platform.node()}.{os.getppid()}.tmp"
    foreign = tmp_path / ".out.another-machine.1.tmp"
    working.mkdir()
    foreign.mkdir()
    build_dataset([write(tmp_path / "a.txt", "a b c\n")], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    assert working.exists()
    assert foreign.exists()


@pytest.mark.parametrize("out", [".", "../out", "../other/../out", "../other/link"])
def test_any_name_of_the_directory_will_do(tmp_path, monkeypatch, out):
    file = write(tmp_path / "a.txt", "a b c\n")
    build_dataset([file], tmp_path / "out", text=WORDS, split=ALL_TRAIN)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    with pytest.raises(RnnlmError, match="this dataset exists"):
        build_dataset([file], out, text=LETTERS)
    result = build_dataset([file], out, text=LETTERS, split=ALL_TRAIN, overwrite=True)
    assert result.path == Path(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "other", "out"]
    assert Dataset.open(tmp_path / "out").vocabulary.settings.level == "char"


def test_a_directory_that_appears_while_a_dataset_is_built_is_not_removed(tmp_path):
    def appear(characters: int) -> None:
        write(tmp_path / "out", "mine")

    with pytest.raises(RnnlmError, match="this is no dataset"):
        build_dataset([write(tmp_path / "a.txt", "a b c\n")], tmp_path / "out", text=WORDS, progress=appear)
    assert (tmp_path / "out").read_text() == "mine"


def test_other_files_beside_a_dataset_are_not_removed(tmp_path):
    out = tmp_path / "out"
    build_dataset([write(tmp_path / "a.txt", "a b c\n")], out, text=WORDS, split=ALL_TRAIN)
    write(out / ".DS_Store", "")
    build_dataset([str(tmp_path / "a.txt")], out, text=WORDS, split=ALL_TRAIN, overwrite=True)
    mine = write(out / "mine.txt", "d e f\n")
    with pytest.raises(RnnlmError, match=r"there are other files beside the dataset \(mine.txt\)"):
        build_dataset([mine], out, text=WORDS, split=ALL_TRAIN, overwrite=True)
    assert Path(mine).read_text() == "d e f\n"
    assert Dataset.open(out).vocabulary.tokens[3:] == ["a", "b", "c"]


PEAK_MEMORY = """
import sys
from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import *
encode.CHUNK_CHARACTERS = spool.BLOCK_SEGMENTS = spool.BLOCK_TOKENS = 1 << 13
build_dataset([sys.argv[1]], "out", text=TextSettings("whitespace"), overwrite=True)
print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_does_not_grow_with_the_corpus(tmp_path):
    def peak(documents: int) -> int:
        # Not ru_maxrss, in which Linux counts the process that started this one too.
        file = write(
            tmp_path / "a.txt", "".join(f"w{k % 997} some words of a comment\n" for k in range(documents))
        )
        command = [sys.executable, "-c", PEAK_MEMORY, file]
        return int(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)

    kibibytes = [peak(40_000), peak(160_000)]
    assert kibibytes[1] - kibibytes[0] < 4_000


def test_a_chunk_is_forgotten_without_the_garbage_collector():
    # Which may come as late as after hundreds of chunks, as strings and arrays do not call for it.
    processor = TextProcessor(replace(TextSettings(sentences=True), punkt=train_punkt(["A b. C d."])))
    gc.collect()
    encode.encode_pieces(processor, [Piece("One. Two!", True)])
    assert gc.collect() == 0


def test_progress_counts_characters(tmp_path):
    counted: list[int] = []
    build_dataset(
        [write(tmp_path / "a.txt", "ab cd\nef\ngh\n")], tmp_path / "out", text=WORDS, progress=counted.append
    )
    assert sum(counted) == 9


def test_punkt_parameters_are_kept(tmp_path):
    punkt = build_dataset(
        [write(tmp_path / "a.txt", "A b. C d.\n")],
        tmp_path / "one",
        text=TextSettings(sentences=True),
        split=ALL_TRAIN,
    ).vocabulary.settings.punkt
    given = replace(TextSettings(sentences=True), punkt={**punkt, "abbreviations": ["zz"]})
    result = build_dataset(
        [write(tmp_path / "b.txt", "About zz. more. End.\n")], tmp_path / "two", text=given, split=ALL_TRAIN
    )
    assert result.vocabulary.settings == given
    assert result.total.sentences == 2
