"""Files made to harm: nothing in them is executed, written outside, or given memory before it is checked."""

import ast
import gzip
import json
import os
import re
import resource
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import rnnlm
from rnnlm.cli.main import main
from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.interpolation import open_predictor
from rnnlm.exchange.export import export
from rnnlm.files import LARGEST_TEXT, sha256
from rnnlm.report.info import describe
from rnnlm.storage.checkpoint import MANIFEST, MODEL, STATE, STATE_TENSORS
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.begin import begin_run
from rnnlm.training.pretrained import load_vectors

ROOM = 256 << 20
DEEP = "[" * 100_000
HUGE = f"0x{'f' * 10_000}"
BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{k + 1}: &a{k + 1} [{', '.join([f'*a{k}'] * 9)}]" for k in range(20))])


@pytest.fixture(autouse=True)
def _little_room() -> Iterator[None]:
    """Let nothing take more than ROOM beyond what the tests have taken so far."""
    if sys.platform != "linux":
        pytest.skip("only Linux can say and limit what a process takes")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.fixture
def run(word_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(word_run, tmp_path / "run")


@pytest.fixture
def checkpoint(run: Path) -> Path:
    return RunDirectory(run).checkpoints.find("best")


def rewrite(checkpoint: Path, name: str, content: bytes) -> None:
    """Replace a file of a checkpoint, its size and checksum in the manifest included."""
    (checkpoint / name).write_bytes(content)
    manifest = json.loads((checkpoint / MANIFEST).read_text())
    manifest["files"][name] = {"bytes": len(content), "sha256": sha256(checkpoint / name)}
    (checkpoint / MANIFEST).write_text(json.dumps(manifest))


def tensor_file(header: Any, data: bytes = b"") -> bytes:
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        struct.pack("<Q", 10**12) + b'{"a":1}'.ljust(12),
        tensor_file({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}),
        tensor_file({"a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}}),
        tensor_file({"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"\0\0"),
        tensor_file({"a": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
        tensor_file({"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
        b"\x80\x04cposix\nsystem\n(S'touch harm'\ntR.",
    ],
)
@pytest.mark.parametrize("name", [MODEL, STATE_TENSORS])
def test_tensors_that_are_none(checkpoint: Path, name: str, content: bytes) -> None:
    rewrite(checkpoint, name, content)
    with pytest.raises(RnnlmError, match=rf"{name}: .*use another checkpoint"):
        rnnlm.load(checkpoint)


def test_weights_that_are_no_numbers(checkpoint: Path) -> None:
    tensors = safetensors.numpy.load_file(checkpoint / MODEL)
    tensors["rnn.weight_hh_l0"][0, 0] = np.nan
    rewrite(checkpoint, MODEL, safetensors.numpy.save(tensors))
    with pytest.raises(RnnlmError, match=r"rnn\.weight_hh_l0 has values that are not finite numbers"):
        rnnlm.load(checkpoint)


@pytest.mark.parametrize(
    "model",
    [
        {"hidden_size": 1_000_000},
        {"hidden_size": 12, "num_layers": 100},
        {"hidden_size": 12, "embedding_size": 1_000_000},
        {"hidden_size": 12, "cell": "lstm"},
    ],
)
def test_a_network_that_the_weights_are_not_of_takes_no_memory(checkpoint: Path, model: dict[str, Any]) -> None:
    rewrite(checkpoint, "config.yaml", Config.model_validate({"model": model}).to_yaml().encode())
    with pytest.raises(RnnlmError, match=r"model\.safetensors: the tensor .* has shape"):
        rnnlm.load(checkpoint)


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        f"model: {{hidden_size: {BOMB.splitlines()[0].partition(' ')[2]}, num_layers: *a0}}",
        "!!python/object/apply:os.system ['touch harm']",
        "model: {cell: !!python/name:os.system }",
        "- " * 100_000,
        f"model: {{hidden_size: {HUGE}}}",
        f"training: {{epochs: {HUGE}}}",
        f"{HUGE}: 1",
        f"model: {{hidden_size: {'x' * 10_000}}}",
        "#" * (LARGEST_TEXT + 1),
    ],
    ids=lambda content: content[:40],
)
def test_yaml_that_is_a_trap(
    checkpoint: Path, word_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rewrite(checkpoint, "config.yaml", content.encode())
    dataset = shutil.copytree(word_dataset, tmp_path / "data")
    (dataset / "dataset.yaml").write_text(content)
    for name, load in (
        ("config.yaml", lambda: rnnlm.load(checkpoint)),
        ("dataset.yaml", lambda: Dataset.open(dataset)),
    ):
        with pytest.raises(RnnlmError, match=f"{name}: ") as refused:
            load()
        assert len(str(refused.value)) < 1000
    assert not Path("harm").exists()


@pytest.mark.parametrize("content", [DEEP, "[]", "7", '{"files": [], "format_version": 1}', f"[{'9' * 10_000}]"])
@pytest.mark.parametrize("name", [MANIFEST, STATE, "vocabulary.json", "../index.json"])
def test_json_that_is_a_trap(run: Path, checkpoint: Path, name: str, content: str) -> None:
    if name.endswith((MANIFEST, "index.json")):
        (checkpoint / name).write_text(content)
    else:
        rewrite(checkpoint, name, content.encode())
    path = run if name.endswith("index.json") else checkpoint
    with pytest.raises(RnnlmError, match=Path(name).name):
        describe(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("progress", []),
        ("progress", {"step": "x"}),
        ("progress", {"step": -1}),
        ("progress", {"tokens": 10**400}),
        ("progress", {"seconds": float("nan")}),
        ("schedule", {"factor": "x", "last_loss": None}),
        ("logs", {"metrics.jsonl": "../../x", "samples.jsonl": 0}),
        ("logs", {"metrics.jsonl": -1, "samples.jsonl": 0}),
        ("logs", []),
    ],
)
def test_a_state_that_makes_no_sense(run: Path, key: str, value: Any) -> None:
    checkpoint, index = RunDirectory(run).checkpoints.find("last"), run / "checkpoints" / "index.json"
    state = json.loads((checkpoint / STATE).read_text())
    state[key] = {**state[key], **value} if key == "progress" and value else value
    rewrite(checkpoint, STATE, json.dumps(state).encode())
    index.write_text(json.dumps({k: v for k, v in json.loads(index.read_text()).items() if "sha256" not in k}))
    config = Config.load(run / "config.yaml", ("schedule.name=halve_on_plateau",))
    with pytest.raises(RnnlmError):
        begin_run(config, run, resume=True, quiet=True)


@pytest.mark.parametrize(("name", "shape"), [("steps", (2,)), ("carried", (1, 12, 1))])
def test_a_state_of_the_wrong_shape(run: Path, name: str, shape: tuple[int, ...]) -> None:
    checkpoint, index = RunDirectory(run).checkpoints.find("last"), run / "checkpoints" / "index.json"
    tensors = safetensors.numpy.load_file(checkpoint / STATE_TENSORS)
    tensors[name] = np.zeros(shape)
    rewrite(checkpoint, STATE_TENSORS, safetensors.numpy.save(tensors))
    index.write_text(json.dumps({k: v for k, v in json.loads(index.read_text()).items() if "sha256" not in k}))
    with pytest.raises(RnnlmError, match=rf"{checkpoint.name}: its state is not whole \({name}"):
        begin_run(Config.load(run / "config.yaml"), run, resume=True, quiet=True)


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/", "../../other/step-00000001", "step-00000001/..", "step-00000001\n"]
)
def test_an_index_leads_nowhere_else(run: Path, name: str) -> None:
    (run / "checkpoints" / "index.json").write_text(json.dumps({"best": name, "last": name}))
    for act in (lambda: rnnlm.load(run), lambda: RunDirectory(run).checkpoints.find("last")):
        with pytest.raises(RnnlmError, match=r"index\.json: damaged"):
            act()


@pytest.mark.parametrize("name", ["metrics.jsonl", "samples.jsonl", "checkpoints"])
def test_a_resumed_run_writes_through_no_link(run: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (run / name).rename(outside)
    (run / name).symlink_to(outside)
    if outside.is_file():
        outside.write_bytes(b"x" * 100_000)
    before = outside.stat()
    with pytest.raises(RnnlmError, match=rf"{name}: a link"):
        begin_run(Config.load(run / "config.yaml", ("training.epochs=9",)), run, resume=True, quiet=True).run()
    assert (outside.stat().st_size, outside.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_a_temporary_name_that_is_a_link_is_not_written_through(run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    for name in (".config.yaml.partial", "checkpoints/.index.json.partial"):
        (run / name).symlink_to(outside / "file")
    (run / "checkpoints" / ".step-00000054.partial").symlink_to(outside)
    (run / "checkpoints" / "step-00000001").symlink_to(outside)
    config = Config.load(run / "config.yaml", ("training.epochs=6",))
    with pytest.raises(RnnlmError, match="cannot be written"):
        begin_run(config, run, resume=True, quiet=True).run()
    assert [file.name for file in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "mine"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A file that links lead to, under the names that results may have before they are whole."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    for name in ("model.pt", "model.vocabulary.json", "report.html"):
        (tmp_path / f".{name}.partial").symlink_to(outside)
    yield outside
    assert outside.read_text() == "mine"


@pytest.fixture(scope="module")
def torch() -> None:
    """Import PyTorch before the room is measured: it takes more."""
    pytest.importorskip("torch")


def test_results_are_written_through_no_link(outside: Path, run: Path, tmp_path: Path) -> None:
    main(["report", str(run), "-o", str(tmp_path / "report.html")])
    assert (tmp_path / "report.html").is_file()
    assert not (tmp_path / ".report.html.partial").is_symlink()


def test_exports_are_written_through_no_link(torch: None, outside: Path, run: Path, tmp_path: Path) -> None:
    export(rnnlm.load(run), "torch", tmp_path / "model.pt")
    assert (tmp_path / "model.pt").is_file()
    assert {file.name for file in tmp_path.glob(".*.partial")} == {".report.html.partial"}


@pytest.mark.parametrize(
    "head", [b"", b"\\data\\\nngram 1=9\n\n\\1-grams:\n", b"0.5\n"], ids=["no format", "n-grams", "probabilities"]
)
def test_lines_without_an_end_take_no_memory(run: Path, tmp_path: Path, head: bytes) -> None:
    model = rnnlm.load(run)
    with gzip.open(tmp_path / "bomb.gz", "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(400):
            file.write(bytes(1 << 20))
    with pytest.raises(RnnlmError, match=r"bomb\.gz, line \d: it is longer than 1 MiB"):
        open_predictor(tmp_path / "bomb.gz", model.vocabulary)
    with pytest.raises(RnnlmError, match=r"bomb\.gz, line \d: it is longer than 1 MiB"):
        load_vectors(tmp_path / "bomb.gz", model.vocabulary, np.zeros((len(model.vocabulary), 3)))


def test_files_without_an_end_are_not_waited_for(
    run: Path, checkpoint: Path, word_dataset: Path, tmp_path: Path
) -> None:
    dataset = shutil.copytree(word_dataset, tmp_path / "data")
    for load, files in (
        (lambda: Dataset.open(dataset), [dataset / "train.bin", dataset / "dataset.yaml"]),
        (lambda: rnnlm.load(run), [checkpoint / MODEL, checkpoint / MANIFEST, run / "checkpoints" / "index.json"]),
    ):
        for file in files:
            file.unlink()
            os.mkfifo(file)
            with pytest.raises(RnnlmError, match=re.escape(str(tmp_path))):
                load()


def test_nothing_unpickles_or_evaluates() -> None:
    forbidden = {"pickle", "marshal", "shelve", "dill", "joblib", "eval", "exec", "unsafe_load", "full_load"}
    forbidden |= {"load_all", "loadtxt", "__import__", "system", "popen"}
    package = Path(rnnlm.__file__).parent
    for file in package.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = (
                {alias.name for alias in node.names} if isinstance(node, ast.Import | ast.ImportFrom) else set()
            )
            if isinstance(node, ast.ImportFrom):
                names.add(str(node.module))
            if isinstance(node, ast.Name):
                names.add(node.id)
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
                assert ast.unparse(node) != "yaml.load", file
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
                assert "allow_pickle=False" in map(ast.unparse, node.keywords), file
            assert not names & forbidden, file
