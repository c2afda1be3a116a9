import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import yaml

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.exchange.export import export
from rnnlm.exchange.importing import import_run, read_weights
from rnnlm.models import kinds
from rnnlm.models.classifier import Classifier
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.networks import make_network
from rnnlm.models.translator import Translator
from rnnlm.nn.arrays import Floats
from rnnlm.report.info import describe
from rnnlm.storage.checkpoint import MODEL, Checkpoint, load_checkpoint
from rnnlm.storage.finding import resolve_checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.begin import begin_run

HEADER = b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
BFLOAT16 = len(HEADER).to_bytes(8, "little") + HEADER + bytes(2)

Change = Callable[[dict[str, Floats]], None]


def best(run: Path) -> Checkpoint:
    return load_checkpoint(resolve_checkpoint(run))


def model_file(run: Path) -> Path:
    return resolve_checkpoint(run) / MODEL


@pytest.mark.parametrize("run", ["label_run", "tag_run"])
def test_a_classifier_and_a_tagger_come_back(request: pytest.FixtureRequest, tmp_path: Path, run: str) -> None:
    there: Path = request.getfixturevalue(run)
    import_run(model_file(there), best(there).config, tmp_path / "run")
    imported, original = kinds.load(tmp_path / "run"), kinds.load(there)
    assert type(imported) is type(original)
    assert imported.files() == original.files()
    assert imported.network.tensors().keys() == original.network.tensors().keys()
    for name, value in original.network.tensors().items():
        np.testing.assert_array_equal(imported.network.tensors()[name], value)


def test_a_classifier_needs_no_more_than_a_vocabulary_with_labels(
    label_run: Path, tag_run: Path, translator_run: Path, word_model: LanguageModel, tmp_path: Path
) -> None:
    weights, config, original = model_file(label_run), best(label_run).config, Classifier.load(label_run)
    import_run(weights, config, tmp_path / "run", original.vocabulary)
    assert list(Classifier.load(tmp_path / "run").predict(["old cat"])) == list(original.predict(["old cat"]))
    with pytest.raises(
        RnnlmError, match=r"task\.name: the vocabulary has no labels for a classifier; give `data=DIR`"
    ):
        import_run(weights, config, tmp_path / "other", word_model.vocabulary)
    with pytest.raises(
        RnnlmError, match=r"task\.name: the tags that a tagger answers are in no vocabulary; give `data"
    ):
        import_run(model_file(tag_run), best(tag_run).config, tmp_path / "other", word_model.vocabulary)
    with pytest.raises(
        RnnlmError, match=r"task\.name: a translator has a vocabulary of its sources too; give `data"
    ):
        import_run(
            model_file(translator_run), best(translator_run).config, tmp_path / "other", word_model.vocabulary
        )
    assert not (tmp_path / "other").exists()


def test_a_translator_comes_back_bit_for_bit(translator_run: Path, tmp_path: Path) -> None:
    import_run(model_file(translator_run), best(translator_run).config, tmp_path / "run")
    assert model_file(tmp_path / "run").read_bytes() == model_file(translator_run).read_bytes()
    imported, original = (Translator.load(path) for path in (tmp_path / "run", translator_run))
    assert list(imported.predict(["eins zwei"])) == list(original.predict(["eins zwei"]))


@pytest.mark.parametrize("run", ["word_run", "char_run"])
def test_weights_come_back_bit_for_bit(request: pytest.FixtureRequest, tmp_path: Path, run: str) -> None:
    there: Path = request.getfixturevalue(run)
    import_run(model_file(there), best(there).config, tmp_path / "run")
    assert model_file(tmp_path / "run").read_bytes() == model_file(there).read_bytes()
    imported, original = LanguageModel.load(tmp_path / "run"), LanguageModel.load(there)
    assert imported.generate(seed=1) == original.generate(seed=1)
    assert imported.vocabulary == original.vocabulary


@pytest.mark.parametrize(
    "model",
    [
        {"cell": "gru"},
        {"cell": "lstm_peephole", "embedding_size": 6, "num_layers": 2, "residual": True, "bias": True},
        {"cell": "lstm", "embedding_size": 6, "tie_weights": True},
        {"embedding_size": 5, "softmax_cutoffs": [4, 9]},
    ],
    ids=["one-hot", "peepholes", "tied", "clusters"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_state_dict_comes_back_bit_for_bit(
    word_model: LanguageModel, tmp_path: Path, model: dict[str, Any], dtype: str
) -> None:
    pytest.importorskip("torch")
    config = Config.model_validate({"model": {"hidden_size": 6, **model}, "training": {"dtype": dtype, "seed": 5}})
    vocabulary = word_model.vocabulary
    network = make_network(config, len(vocabulary))
    export(LanguageModel(network, vocabulary, config), "torch", tmp_path / "model.pt")
    # A seed of its own: nothing of the original can come from the initial weights.
    other = Config.model_validate({"model": {"hidden_size": 6, **model}, "training": {"dtype": dtype}})
    import_run(tmp_path / "model.pt", other, tmp_path / "run", vocabulary)
    weights = LanguageModel.load(tmp_path / "run").network.parameters
    assert weights.keys() == network.parameters.keys()
    for name, value in network.parameters.items():
        assert weights[name].dtype == value.dtype
        assert weights[name].tobytes() == value.tobytes()


def test_training_goes_on_from_imported_weights(char_run: Path, tmp_path: Path) -> None:
    checkpoint = best(char_run)
    values = checkpoint.config.model_dump() | {"schedule": {"name": "constant"}}
    values["training"] |= {"epochs": 1, "seed": 8}
    config = Config.model_validate(values)
    import_run(model_file(char_run), config, tmp_path / "run")
    trainer = begin_run(config, tmp_path / "run", resume=True, quiet=True)
    for name, value in checkpoint.tensors.items():
        np.testing.assert_array_equal(trainer.model.network.parameters[name], value)
    summary = trainer.run()
    before = describe(char_run)["best_valid_loss"]
    assert summary["steps"] > 0
    assert summary["last"]["valid_loss"] < before


def test_without_a_dataset_the_run_writes_but_does_not_train(
    char_run: Path, char_model: LanguageModel, tmp_path: Path
) -> None:
    checkpoint = best(char_run)
    import_run(model_file(char_run), checkpoint.config, tmp_path / "run", char_model.vocabulary)
    assert LanguageModel.load(tmp_path / "run").generate(seed=1) == LanguageModel.load(char_run).generate(seed=1)
    assert describe(tmp_path / "run")["step"] == 0
    with pytest.raises(
        RnnlmError, match="its weights were imported without a dataset; begin another run with `init_from`"
    ):
        begin_run(checkpoint.config, tmp_path / "run", resume=True, quiet=True)


def rename(weights: dict[str, Floats]) -> None:
    weights["encoder.weight"] = weights.pop("embedding.weight")


def transpose(weights: dict[str, Floats]) -> None:
    weights["rnn.weight_ih_l1"] = weights["rnn.weight_ih_l1"][:, :3]


def spoil(weights: dict[str, Floats]) -> None:
    weights["output.bias"][0] = np.nan


def overflow(weights: dict[str, Floats]) -> None:
    weights["output.bias"] = np.full(len(weights["output.bias"]), 1e300)


def turn(weights: dict[str, Floats]) -> None:
    weights["output.bias"] = weights["output.bias"] * np.complex64(1j)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ([rename], r"embedding.weight \(\d+, 8\) is missing; encoder.weight \(\d+, 8\) has no place"),
        ([transpose], r"rnn.weight_ih_l1 is \(16, 3\) instead of \(16, 16\)"),
        ([spoil], "output.bias has values that are not finite numbers in float32"),
        ([overflow], "output.bias has values that are not finite numbers in float32"),
        ([turn], "output.bias has complex numbers"),
        ([transpose, spoil], "rnn.weight_ih_l1 .*; output.bias .*"),
    ],
)
def test_what_does_not_fit_is_named(char_run: Path, tmp_path: Path, changes: list[Change], problems: str) -> None:
    weights = {name: value.copy() for name, value in best(char_run).tensors.items()}
    for change in changes:
        change(weights)
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors.numpy.save({name: np.ascontiguousarray(v) for name, v in weights.items()}))
    message = f"{re.escape(str(path))}: does not fit the configuration's network: {problems}; change the"
    with pytest.raises(RnnlmError, match=message):
        import_run(path, best(char_run).config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_tied_weights_must_be_the_same(word_model: LanguageModel, tmp_path: Path) -> None:
    config = Config.model_validate({"model": {"hidden_size": 6, "embedding_size": 6, "tie_weights": True}})
    weights = make_network(config, len(word_model.vocabulary)).parameters
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors.numpy.save({**weights, "output.weight": weights["embedding.weight"] + 1}))
    with pytest.raises(RnnlmError, match=r"output\.weight differs from embedding\.weight"):
        import_run(path, config, tmp_path / "run", word_model.vocabulary)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.safetensors", None, r"cannot be read \(No such file or directory\)"),
        ("m.safetensors", b"", "not a safetensors file"),
        ("m.safetensors", pickle.dumps({}), "not a safetensors file"),
        ("m.safetensors", BFLOAT16, "NumPy has no numbers of the kind 'BF16'; save them as float32"),
    ],
)
def test_what_is_no_safetensors_file_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RnnlmError, match=f"{name}: {message}"):
        read_weights(tmp_path / name)


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("was-here"),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot be read \(No such file or directory\)"),
        ({"epoch": 3}, "'epoch' in it is not a tensor; save model.state_dict"),
        ([1, 2], "holds no state dict"),
        (Malicious(), "not a file of weights alone"),
        (b"", "not a file of weights alone"),
        (b"text", "not a file of weights alone"),
    ],
)
def test_what_is_no_state_dict_is_refused_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, message: str
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(RnnlmError, match=f"model.pt: {message}"):
        read_weights(path)
    assert not Path("was-here").exists()


def test_numbers_that_numpy_does_not_know_are_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.tensor([0.5, -3.0], dtype=torch.bfloat16)}, tmp_path / "model.pt")
    assert read_weights(tmp_path / "model.pt")["a"].tolist() == [0.5, -3.0]


def test_tensors_that_are_no_plain_numbers_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tensors = torch.eye(2).to_sparse(), torch.ones(2, dtype=torch.complex64), torch.ones(2, device="meta")
    for tensor in tensors:
        torch.save({"a": tensor}, tmp_path / "model.pt")
        with pytest.raises(RnnlmError, match="'a' in it is not a dense tensor of real numbers; save"):
            read_weights(tmp_path / "model.pt")


def test_without_pytorch_the_other_format_is_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "model.pt").write_bytes(b"\x80\x02")
    with pytest.raises(RnnlmError, match=r"only PyTorch reads such a file; .* safetensors\.torch\.save_file"):
        read_weights(tmp_path / "model.pt")


def test_nothing_is_overwritten(char_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RnnlmError, match="exists already; choose another `out`"):
        import_run(model_file(char_run), best(char_run).config, tmp_path)
    assert not RunDirectory(tmp_path).exists


def test_a_dataset_or_a_vocabulary_is_needed(char_run: Path, tmp_path: Path) -> None:
    config = Config.model_validate({"model": {"hidden_size": 6}})
    with pytest.raises(RnnlmError, match=r"data\.path: no dataset is named; give `data=DIR` or `vocab=PATH`"):
        import_run(model_file(char_run), config, tmp_path / "run")


def test_the_configuration_of_the_run_is_the_one_given(char_run: Path, tmp_path: Path) -> None:
    config = best(char_run).config
    import_run(model_file(char_run), config, tmp_path / "run")
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text()) == config.values()
