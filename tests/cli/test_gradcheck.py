import numpy as np
import pytest

from rnnlm.nn.output import SoftmaxOutput
from rnnlm.nn.recurrent import RecurrentLayer

from .conftest import Command, write_config

CONFIGURATIONS = {
    "published": {"model": {"hidden_size": 6}},
    "truncated": {"model": {"hidden_size": 5}, "training": {"bptt_truncate": 2}},
    "relu": {"model": {"hidden_size": 6, "nonlinearity": "relu", "bias": True, "num_layers": 2}},
    "adaptive softmax": {"model": {"hidden_size": 8, "softmax_cutoffs": [2000, 10000], "bias": True}},
    "tied": {"model": {"hidden_size": 6, "embedding_size": 6, "tie_weights": True, "dropout": 0.3}},
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_kind_of_network_passes(rnnlm: Command, name: str):
    outcome = rnnlm("gradcheck", "--config", write_config("c.yaml", **CONFIGURATIONS[name]), "--json", "--quiet")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    result = outcome.json
    assert set(result) == {"passed", "max_relative_error", "parameters"}
    assert result["passed"] is True
    assert 0 < result["max_relative_error"] == max(result["parameters"].values()) < 1e-6


def test_it_checks_what_the_configuration_says(rnnlm: Command):
    config = write_config("c.yaml", model={"hidden_size": 5})
    outcome = rnnlm(
        *["gradcheck", "--config", config, "--json", "--set", "model.num_layers=2"],
        *["--set", "model.embedding_size=4", "--set", "model.bias=true"],
    )
    assert set(outcome.json["parameters"]) == {
        "embedding.weight",
        *(f"rnn.{kind}_l{k}" for k in (0, 1) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
        "output.weight",
        "output.bias",
    }


def test_the_table_names_every_parameter(rnnlm: Command):
    outcome = rnnlm("gradcheck", "--config", write_config("c.yaml", model={"hidden_size": 5}))
    assert outcome.exit_code == 0
    lines = outcome.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "output.weight"]
    assert lines[-1].startswith("passed: largest relative error ")


def test_a_wrong_gradient_fails(rnnlm: Command, monkeypatch: pytest.MonkeyPatch):
    right = SoftmaxOutput.loss_and_gradient

    def wrong(self: SoftmaxOutput, *arguments: object, **options: object) -> tuple[float, np.ndarray]:
        loss, ds = right(self, *arguments, **options)  # type: ignore[arg-type]
        self.weight_gradient *= 1.001
        return loss, ds

    monkeypatch.setattr(SoftmaxOutput, "loss_and_gradient", wrong)
    config = write_config("c.yaml", model={"hidden_size": 5})
    outcome = rnnlm("gradcheck", "--config", config, "--json")
    assert outcome.exit_code == 1
    assert outcome.json["passed"] is False
    assert outcome.json["parameters"]["output.weight"] == pytest.approx(5e-4, rel=0.01)
    assert outcome.json["parameters"]["rnn.weight_hh_l0"] < 1e-6
    assert outcome.stderr == "rnnlm: a gradient is off by more than 1e-06.\n"
    table = rnnlm("gradcheck", "--config", config)
    assert table.exit_code == 1
    assert table.stdout.splitlines()[-1].startswith("FAILED: largest relative error ")


def test_truncated_back_propagation_is_checked_where_the_configuration_has_it(
    rnnlm: Command, monkeypatch: pytest.MonkeyPatch
):
    right = RecurrentLayer.backward_truncated

    def wrong(self: RecurrentLayer, errors: list[np.ndarray], steps: int) -> list[np.ndarray]:
        return right(self, errors, steps + 1)

    monkeypatch.setattr(RecurrentLayer, "backward_truncated", wrong)
    config = write_config("c.yaml", model={"hidden_size": 5})
    assert rnnlm("gradcheck", "--config", config).exit_code == 0
    assert rnnlm("gradcheck", "--config", config, "--set", "training.bptt_truncate=2").exit_code == 1


def test_a_bad_configuration_is_named(rnnlm: Command):
    config = write_config("c.yaml", model={"hiddn_size": 5})
    outcome = rnnlm("gradcheck", "--config", config)
    message = "rnnlm: c.yaml: unknown key 'model.hiddn_size'; did you mean 'model.hidden_size'?\n"
    assert outcome == (1, "", message)
