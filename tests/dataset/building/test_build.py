import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.building.learning import VocabularySettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import SpecialTokens
from tests.dataset.building.datasets import ALL_TRAIN, LETTERS, WORDS, files_of, sentences, write


def test_counting_as_in_the_penn_treebank(tmp_path):
    train = write(tmp_path / "train.txt", " the cat sat \n the <unk> sat \n")
    valid = write(tmp_path / "valid.txt", " the dog \n")
    test = write(tmp_path / "test.txt", " a cat \n <unk> \n")
    result = build_dataset(
        [train],
        tmp_path / "out",
        text=WORDS,
        vocabulary=VocabularySettings(special=SpecialTokens(unknown="<unk>")),
        division=DivisionSettings(valid, test),
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
    result = build_dataset([file], tmp_path / "out", text=settings, division=ALL_TRAIN)
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


def test_without_settings_text_is_processed_as_the_command_does(tmp_path):
    file = write(tmp_path / "a.csv", "body\nOne &amp; two. Three!\n")
    result = build_dataset([file], tmp_path / "words", division=ALL_TRAIN)
    assert sentences(Dataset.open(result.path), "train") == [["one", "&", "two", "."], ["three", "!"]]
    file = write(tmp_path / "a.txt", "One.\nTwo.\n")
    assert build_dataset([file], tmp_path / "lines", division=ALL_TRAIN).total.sentences == 2
    assert build_dataset([file], tmp_path / "file", text=LETTERS, division=ALL_TRAIN).total.sentences == 1


BUILD = """
import sys
from rnnlm.dataset.building import encode, spool
from rnnlm.dataset.building.build import *

if __name__ == "__main__":  # workers import this file too
    encode.CHUNK_CHARACTERS, spool.MAX_TYPES = 700, 60
    build_dataset(["a.jsonl"], sys.argv[2], division=DivisionSettings("b.txt"), crew=Crew(int(sys.argv[1])))
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


def test_large_vocabularies_use_wider_ids(tmp_path):
    file = write(tmp_path / "a.txt", " ".join(f"w{index}" for index in range(300)))
    result = build_dataset([file], tmp_path / "out", text=WORDS, division=ALL_TRAIN)
    dataset = Dataset.open(result.path)
    assert dataset.train.ids.dtype == np.uint16
    small = build_dataset([file], tmp_path / "small", text=LETTERS, division=ALL_TRAIN)
    assert Dataset.open(small.path).train.ids.dtype == np.uint8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"division": DivisionSettings(None, None, 0.6, 0.6)}, "`valid_fraction=0.6` and `test_fraction=0.6`"),
        ({"division": DivisionSettings(None, None, -0.1, 0)}, "`valid_fraction=-0.1`"),
        ({"division": DivisionSettings(None, None, 0, 1)}, "no training text"),
        ({"vocabulary": VocabularySettings(size=3)}, "`size=3` leaves no room"),
        ({"vocabulary": VocabularySettings(special=SpecialTokens("x", "x", "y"))}, "three different names"),
        ({"vocabulary": VocabularySettings(special=SpecialTokens(""))}, "three different names"),
        ({"vocabulary": VocabularySettings(special=SpecialTokens("\udcff"))}, "not valid Unicode"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path, arguments, message):
    file = write(tmp_path / "a.txt", "some text\nand more\nand more\n")
    with pytest.raises(RnnlmError, match=message):
        build_dataset([file], tmp_path / "out", text=WORDS, **arguments)


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
