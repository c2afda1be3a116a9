from pathlib import Path

import numpy as np
import pytest
import yaml

from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset, id_dtype, read_metadata, write_metadata
from rnnlm.errors import RnnlmError
from rnnlm.files import fingerprint
from rnnlm.text.processor import TextSettings
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.vocabulary import Vocabulary


@pytest.fixture
def path(tmp_path: Path) -> Path:
    text = tmp_path / "a.txt"
    text.write_text("a b c\nd e\n\nf\n")
    division = DivisionSettings(valid_fraction=0.3, test_fraction=0)
    return build_dataset([str(text)], tmp_path / "data", text=TextSettings("whitespace"), division=division).path


def rewrite(path: Path, name: str, content: bytes) -> None:
    """Replace a file of a dataset, its size and checksum included."""
    (path / name).write_bytes(content)
    metadata = read_metadata(path)
    metadata["files"][name] = fingerprint(path / name)
    del metadata["sha256"]
    write_metadata(path, metadata)


def test_opened(path):
    dataset = Dataset.open(str(path))
    assert dataset.path == path
    assert dataset.metadata["documents"] == 3
    assert dataset.split("train") is dataset.train
    train = dataset.train
    assert train.num_sentences == 2
    assert train.num_tokens == sum(len(train.sentence(k)) - 1 for k in range(2))
    assert len(train.sentence(0)) == train.offsets[1]
    assert train.characters == dataset.metadata["splits"]["train"]["characters"]
    assert dataset.valid.unknown_tokens == dataset.valid.num_tokens - 1
    for index in (-1, 2):
        with pytest.raises(IndexError):
            train.sentence(index)


def test_ids_are_mapped_and_read_only(path):
    ids = Dataset.open(path).train.ids
    assert isinstance(ids, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        ids[0] = 1


def test_an_empty_split_is_an_empty_array(path):
    test = Dataset.open(path).test
    assert (test.num_sentences, test.num_tokens, len(test.ids)) == (0, 0, 0)
    assert list(test.offsets) == [0]


def test_there_are_three_splits(path):
    with pytest.raises(RnnlmError, match="'dev' is not a part"):
        Dataset.open(path).split("dev")


@pytest.mark.parametrize(("size", "bits"), [(3, 8), (256, 8), (257, 16), (65_536, 16), (65_537, 32)])
def test_ids_are_as_small_as_possible(size, bits):
    assert id_dtype(size) == np.dtype(f"<u{bits // 8}")


def test_other_directories_are_no_datasets(tmp_path):
    for path, message in ((tmp_path, "this is not a dataset"), (tmp_path / "none", "no such directory")):
        with pytest.raises(RnnlmError, match=message):
            Dataset.open(path)


FILES = ["vocabulary.json", *(f"{split}{kind}.bin" for split in ("train", "valid") for kind in ("", ".offsets"))]


@pytest.mark.parametrize("name", FILES)
def test_damage_is_named(path, name):
    file = path / name
    content = file.read_bytes()
    for damaged in (content[:-1], content + b"x", b"", bytes([content[0] ^ 1]) + content[1:]):
        file.write_bytes(damaged)
        with pytest.raises(RnnlmError, match=rf"{name}: this file .* damaged; build it again"):
            Dataset.open(path)
    file.unlink()
    with pytest.raises(RnnlmError, match=f"{name}: this file is missing"):
        Dataset.open(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.bin", b"\xff" * 9, "train.offsets.bin|not in the vocabulary"),
        ("train.offsets.bin", b"", "does not span"),
        ("train.offsets.bin", np.array([1, 9], "<u8").tobytes(), "does not span"),
        ("train.offsets.bin", np.array([0, 1 << 63], "<u8").tobytes(), "does not span"),
        ("train.offsets.bin", b"123", "not a whole number of 8-byte"),
        ("vocabulary.json", b"{}", "the key 'format_version' is missing"),
    ],
)
def test_nonsense_with_the_right_checksum_is_refused(path, name, content, message):
    rewrite(path, name, content)
    with pytest.raises(RnnlmError, match=message):
        Dataset.open(path)


def test_ids_and_offsets_are_checked(path):
    ids = (path / "train.bin").read_bytes()
    offsets = np.fromfile(path / "train.offsets.bin", "<u8")
    rewrite(path, "train.bin", ids[:-1] + b"\xfe")
    with pytest.raises(RnnlmError, match=r"train\.bin: .*not in the vocabulary"):
        Dataset.open(path)
    rewrite(path, "train.bin", ids)
    for middle in (0, len(ids), len(ids) + 5):
        rewrite(path, "train.offsets.bin", np.array([0, middle, offsets[-1]], "<u8").tobytes())
        with pytest.raises(RnnlmError, match=r"train\.offsets\.bin: .*sentences in order"):
            Dataset.open(path)
    rewrite(path, "train.offsets.bin", np.array([0, offsets[-1]], "<u8").tobytes())
    with pytest.raises(RnnlmError, match="does not count the train sentences"):
        Dataset.open(path)


def test_what_dataset_yaml_says_is_sealed(path):
    file = path / "dataset.yaml"
    sealed = file.read_text()
    for changed in (sealed.replace("unknown_tokens: 0", "unknown_tokens: 1"), f"{sealed}more: 7\n"):
        assert changed != sealed
        file.write_text(changed)
        with pytest.raises(RnnlmError, match=r"dataset\.yaml: .* the checksum that its last line names"):
            Dataset.open(path)
    file.write_text(sealed.rpartition("sha256: ")[0])  # as early versions wrote it
    assert Dataset.open(path).metadata["documents"] == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no format_version"),
        ("[1]", "has no format_version"),
        ("a: [", "is not YAML"),
        ("\0", "is not YAML"),
        ("!!python/object/apply:os.system [ls]", "is not YAML"),
        ("format_version: 2", "format version 2 is not 1"),
        ("format_version: 1", r"no valid files\.vocabulary\.json\.bytes"),
        ("format_version: 1\nfiles: 3", r"no valid files\.vocabulary\.json\.bytes"),
    ],
)
def test_damaged_metadata_is_refused(path, content, message):
    (path / "dataset.yaml").write_text(content)
    with pytest.raises(RnnlmError, match=rf"dataset\.yaml: .*{message}"):
        Dataset.open(path)


def test_wrong_numbers_in_the_metadata_are_refused(path):
    metadata = yaml.safe_load((path / "dataset.yaml").read_text())
    metadata["splits"]["valid"]["characters"] = -1
    (path / "dataset.yaml").write_text(yaml.safe_dump(metadata))
    with pytest.raises(RnnlmError, match=r"no valid splits\.valid\.characters"):
        Dataset.open(path)


@pytest.mark.parametrize("key", ["documents", "vocabulary_size", "unique_tokens"])
@pytest.mark.parametrize("value", [None, -1, "many", True])
def test_counts_in_the_metadata_are_checked(path, key, value):
    metadata = yaml.safe_load((path / "dataset.yaml").read_text())
    metadata[key] = value
    (path / "dataset.yaml").write_text(yaml.safe_dump(metadata))
    with pytest.raises(RnnlmError, match=f"has no valid {key}"):
        Dataset.open(path)


def test_metadata_is_read_whatever_has_become_of_the_other_files(path):
    (path / "train.bin").unlink()
    assert read_metadata(str(path))["vocabulary_size"] == len(Vocabulary.load(path))
    with pytest.raises(RnnlmError, match=r"train\.bin: this file is missing"):
        Dataset.open(path)


def test_unreadable_files_are_named(path, monkeypatch):
    def refuse(self: Path, *arguments: object, **keywords: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    for read in (Dataset.open, read_metadata):
        with pytest.raises(RnnlmError, match=r"dataset\.yaml: cannot be read \(Permission denied\)"):
            read(path)


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    text = tmp_path / "a.txt"
    text.write_text("The\tDET\ncat\tNOUN\n\nthe\tDET\n\nA\tDET\ndog\tNOUN\n")
    division = DivisionSettings(valid_fraction=0.34, test_fraction=0)
    return build_dataset([str(text)], tmp_path / "tags", reader=ReaderSettings("tagged"), division=division).path


def test_tags_and_spellings(tagged, path):
    dataset = Dataset.open(tagged)
    for split in (dataset.train, dataset.valid):
        assert isinstance(split.tags, np.memmap)
        assert len(split.tags) == len(split.spellings) == len(split.ids)
    assert len(dataset.test.tags) == len(dataset.test.spellings) == 0
    plain = Dataset.open(path)
    assert (plain.tags, plain.train.words, plain.train.tags, plain.train.spellings) == (None,) * 4


BESIDE = ["tags.json", "spellings.json", "train.tags.bin", "valid.spellings.bin"]


@pytest.mark.parametrize("name", BESIDE)
def test_damage_beside_the_ids_is_named(tagged, name):
    test_damage_is_named(tagged, name)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("train.tags.bin", lambda content: content[:-1], "has .* entries, not one for each of the"),
        ("train.tags.bin", lambda content: content[:-1] + b"\x09", "numbers of tags that there are not"),
        ("valid.spellings.bin", lambda content: content + b"\0", "has .* entries, not one for each of the"),
        ("valid.spellings.bin", lambda content: content[:-1] + b"\x09", "numbers of spellings that there are not"),
        ("tags.json", lambda content: b"{}", "the key 'format_version' is missing"),
        ("spellings.json", lambda content: b"[]", "not a list of spellings"),
    ],
)
def test_nonsense_beside_the_ids_is_refused(tagged, name, change, message):
    rewrite(tagged, name, change((tagged / name).read_bytes()))
    with pytest.raises(RnnlmError, match=rf"{name}: .*{message}"):
        Dataset.open(tagged)


def test_a_tagged_dataset_is_replaced(tagged, tmp_path):
    text = tmp_path / "b.txt"
    text.write_text("a b\n" * 9)
    build_dataset([str(text)], tagged, overwrite=True)
    assert Dataset.open(tagged).tags is None
    assert not (tagged / "tags.json").exists()


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    text = tmp_path / "a.tsv"
    text.write_text("Ein Hund\tA dog\nKatze\tA cat here\nEin\tOne\n")
    division = DivisionSettings(valid_fraction=0.34, test_fraction=0)
    return build_dataset([str(text)], tmp_path / "pairs", reader=ReaderSettings("pairs"), division=division).path


def test_sources_lie_beside_the_targets(pairs, path):
    dataset = Dataset.open(pairs)
    for split in (dataset.train, dataset.valid):
        assert isinstance(split.source.ids, np.memmap)
        assert split.source.num_sentences == split.num_sentences
    assert dataset.test.source.num_sentences == 0
    assert dataset.source_vocabulary == Vocabulary.load(pairs / "source-vocabulary.json")
    assert {file.name for file in pairs.iterdir()} == {
        "dataset.yaml",
        *(f"{side}vocabulary.json" for side in ("", "source-")),
        *(f"{split}{kind}" for split in ("train", "valid", "test") for kind in SIDES),
    }
    plain = Dataset.open(path)
    assert (plain.source_vocabulary, plain.train.source) == (None, None)


SIDES = (".bin", ".offsets.bin", ".source.bin", ".source.offsets.bin")


@pytest.mark.parametrize("name", ["source-vocabulary.json", "train.source.bin", "valid.source.offsets.bin"])
def test_damage_of_sources_is_named(pairs, name):
    test_damage_is_named(pairs, name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.source.bin", b"\x01\x02\x02\x01\x09\x02", "does not span|not in the vocabulary"),
        ("valid.source.offsets.bin", b"", "does not span"),
        ("source-vocabulary.json", b"{}", "the key 'format_version' is missing"),
    ],
)
def test_nonsense_in_sources_is_refused(pairs, name, content, message):
    rewrite(pairs, name, content)
    with pytest.raises(RnnlmError, match=rf"{name.split('.')[0]}.*{message}"):
        Dataset.open(pairs)


def test_there_is_a_source_for_each_target(pairs):
    for name in (".bin", ".offsets.bin"):
        rewrite(pairs, f"train.source{name}", (pairs / f"valid.source{name}").read_bytes())
    metadata = read_metadata(pairs)
    metadata["source"]["splits"]["train"] = dict(metadata["source"]["splits"]["valid"])
    del metadata["sha256"]
    write_metadata(pairs, metadata)
    with pytest.raises(
        RnnlmError, match=r"train\.source\.offsets\.bin: .* does not have as many sentences as the targets"
    ):
        Dataset.open(pairs)


@pytest.mark.parametrize("keys", [("vocabulary_size",), ("unique_tokens",), ("splits", "train", "tokens")])
def test_counts_of_sources_in_the_metadata_are_checked(pairs, keys):
    metadata = yaml.safe_load((pairs / "dataset.yaml").read_text())
    numbers = metadata["source"]
    for key in keys[:-1]:
        numbers = numbers[key]
    numbers[keys[-1]] = -1
    (pairs / "dataset.yaml").write_text(yaml.safe_dump(metadata))
    with pytest.raises(RnnlmError, match=rf"no valid source\.{'.'.join(keys)}"):
        Dataset.open(pairs)


def test_a_dataset_of_pairs_is_replaced(pairs, tmp_path):
    text = tmp_path / "b.txt"
    text.write_text("a b\n" * 9)
    build_dataset([str(text)], pairs, overwrite=True)
    assert Dataset.open(pairs).source_vocabulary is None
    assert not (pairs / "source-vocabulary.json").exists()
