import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rnnlm import backend, blas
from tests.networks import make_network

from .conftest import Command, write_config


@pytest.fixture(autouse=True)
def peak(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spare the measurement of the peak, and set the threads back afterwards."""
    threads = blas.threads()
    monkeypatch.setattr(blas, "gemm_peak", lambda: 250.0)
    yield
    blas.set_threads(threads)


@pytest.fixture
def config() -> str:
    return write_config(
        "tiny.yaml",
        model={"hidden_size": 8, "vocabulary_size": 50},
        training={"batch_size": 3, "bptt_steps": 7},
        optimizer={"clip_norm": 5.0},
    )


def test_json_has_every_figure_and_they_agree(rnnlm: Command, config: str):
    outcome = rnnlm("benchmark", "--config", config, "--seconds", "0.2", "--json")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    speed = outcome.json
    assert set(speed) == {
        "tokens_per_second",
        "ms_per_step",
        "model_gflops_per_second",
        "gemm_peak_gflops_per_second",
        "utilization",
        "threads",
        "blas",
        "backend",
    }
    assert speed["tokens_per_second"] == pytest.approx(3 * 7 / (speed["ms_per_step"] / 1000))
    flops = 6 * (8 * 8 + 50 * 8)  # the recurrent and the output weights; those of the input are looked up
    assert speed["model_gflops_per_second"] == pytest.approx(speed["tokens_per_second"] * flops / 1e9)
    assert speed["gemm_peak_gflops_per_second"] == 250
    assert speed["utilization"] == pytest.approx(speed["model_gflops_per_second"] / 250)
    assert speed["ms_per_step"] > 0
    assert (speed["threads"], speed["blas"]) == (blas.threads(), blas.kernel())
    assert speed["backend"] == backend.current()


@pytest.mark.parametrize("tied", [True, False])
def test_only_the_samples_of_the_softmax_are_counted(rnnlm: Command, tied: bool):
    config = write_config(
        "sampled.yaml",
        model={
            "hidden_size": 8,
            "embedding_size": 8,
            "tie_weights": tied,
            "vocabulary_size": 50,
            "softmax_samples": 20,
        },
    )
    speed = rnnlm("benchmark", "--config", config, "--seconds", "0.1", "--json").json
    flops = 6 * (8 * 8 + 8 * 8 + 20 * 8)
    assert speed["model_gflops_per_second"] == pytest.approx(speed["tokens_per_second"] * flops / 1e9)


def test_the_products_of_both_sides_of_a_translator_are_counted(rnnlm: Command, pair_dataset: Path):
    config = write_config(
        "translate.yaml",
        task={"name": "translate", "attention": "additive"},
        data={"path": str(pair_dataset)},
        model={"hidden_size": 8, "embedding_size": 4},
        training={"batch_size": 3, "bptt_steps": 7},
    )
    speed = rnnlm("benchmark", "--config", config, "--seconds", "0.1", "--json").json
    layer, attention, output = 8 * 4 + 8 * 8, 3 * 8 * 8 + 8 * 8, 8 * 8  # 8 tokens on either side
    flops = 6 * (2 * layer + attention + output)
    assert speed["model_gflops_per_second"] == pytest.approx(speed["tokens_per_second"] * flops / 1e9)


@pytest.mark.parametrize(("batch_size", "input_products"), [(3, 8 * 8), (4, 0)])
def test_input_products_once_a_token_are_not_counted(rnnlm: Command, batch_size: int, input_products: int):
    config = write_config(
        "characters.yaml",
        model={"hidden_size": 8, "embedding_size": 8, "vocabulary_size": 7},
        training={"batch_size": batch_size, "bptt_steps": 7, "batching": "stream"},
    )
    speed = rnnlm("benchmark", "--config", config, "--seconds", "0.1", "--json").json
    flops = 6 * (input_products + 8 * 8 + 7 * 8)
    assert speed["model_gflops_per_second"] == pytest.approx(speed["tokens_per_second"] * flops / 1e9)


def test_the_figures_are_printed(rnnlm: Command, config: str):
    outcome = rnnlm("benchmark", "--config", config, "--seconds", "0.01")
    assert outcome.exit_code == 0
    assert "tokens/s" in outcome.stdout
    assert "of the measured peak of 250\n" in outcome.stdout
    plural = "s" if blas.threads() > 1 else ""
    assert outcome.stdout.endswith(f"{blas.kernel()}, {blas.threads()} thread{plural}; {backend.description()}\n")


def test_however_short_the_time_a_step_is_measured(rnnlm: Command, config: str):
    assert rnnlm("benchmark", "--config", config, "--seconds", "1e-9", "--json").json["ms_per_step"] > 0
    assert rnnlm("benchmark", "--config", config, "--seconds", "0").exit_code == 2


def test_a_kernel_forced_by_the_environment_is_mentioned(
    rnnlm: Command, config: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    arguments = ["benchmark", "--config", config, "--seconds", "0.01", "--json"]
    outcome = rnnlm(*arguments)
    assert "The environment sets OPENBLAS_CORETYPE=Haswell: " in outcome.stderr
    assert outcome.json
    assert rnnlm(*arguments, "--quiet").stderr == ""


def test_threads_are_those_of_the_configuration(rnnlm: Command, config: str):
    if not blas.set_threads(2):
        pytest.skip("NumPy's BLAS cannot be told here")
    outcome = rnnlm("benchmark", "--config", config, "--seconds", "0.01", "--json", "--set", "training.threads=1")
    assert outcome.json["threads"] == 1


def test_the_back_end_is_that_of_the_configuration(rnnlm: Command, config: str):
    arguments = ["benchmark", "--config", config, "--seconds", "0.01", "--set", "training.backend=numpy"]
    assert rnnlm(*arguments, "--json").json["backend"] == "numpy"
    assert rnnlm(*arguments).stdout.endswith("; NumPy passes\n")


def test_the_vocabulary_is_named_or_the_datasets(rnnlm: Command, config: str, word_dataset: Path):
    without = ["benchmark", "--config", config, "--seconds", "0.01", "--set", "model.vocabulary_size=null"]
    outcome = rnnlm(*without)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("rnnlm: model.vocabulary_size: give the number of tokens, or name a dataset")
    data = Path(shutil.copytree(word_dataset, "data"))
    for file in data.glob("*.bin"):
        file.unlink()
    assert rnnlm(*without, "--set", "data.path=data").exit_code == 0
    (data / "dataset.yaml").unlink()
    refused = rnnlm(*without, "--set", "data.path=data")
    assert refused.exit_code == 1
    assert "data: this is not a dataset" in refused.stderr


@pytest.mark.parametrize(
    ("model", "products"),
    [
        ({}, 3 * 3 + 10 * 3),  # the input is looked up
        ({"embedding_size": 2, "bias": True}, 3 * 2 + 3 * 3 + 10 * 3),
        ({"embedding_size": 3, "tie_weights": True}, 3 * 3 + 3 * 3 + 10 * 3),
        ({"embedding_size": 2, "cell": "lstm_peephole", "num_layers": 2}, 12 * (2 + 3 + 3 + 3) + 10 * 3),
        ({"softmax_cutoffs": [4, 7]}, 3 * 3 + 6 * 3),  # the head alone
    ],
    ids=["one-hot", "embedding", "tied", "peephole", "adaptive"],
)
def test_the_arithmetic_of_a_token_is_that_of_its_products(model: dict[str, object], products: int):
    network = make_network(10, hidden_size=3, **model)
    assert network.products(np.zeros((2, 3), int), None) == products
