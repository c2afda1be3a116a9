from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnlm.nn.batch import Batch
from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.network import Network
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.table import Table

from .conftest import Command, write_config

CONFIGURATIONS = {
    "published": {"model": {"hidden_size": 6}},
    "truncated": {"model": {"hidden_size": 5}, "training": {"bptt_truncate": 2}},
    "relu": {"model": {"hidden_size": 6, "nonlinearity": "relu", "bias": True, "num_layers": 2}},
    "adaptive softmax": {"model": {"hidden_size": 8, "softmax_cutoffs": [2000, 10000], "bias": True}},
    "time delay": {
        "model": {"cell": "time_delay", "width": 3, "embedding_size": 4, "num_layers": 2, "bias": True}
    },
    "time delay, one-hot": {"model": {"cell": "time_delay", "width": 3, "dropout": 0.3, "hidden_size": 5}},
    "tagger, time delay": {
        "task": {"name": "tag"},
        "model": {
            **{"cell": "time_delay", "width": 3, "nonlinearity": "linear", "hidden_size": 3},
            **{"embedding_size": 2, "character_size": 2, "bidirectional": True},
        },
    },
    "tied": {"model": {"hidden_size": 6, "embedding_size": 6, "tie_weights": True, "dropout": 0.3}},
    "classifier, one-hot": {"task": {"name": "classify", "pooling": "last"}, "model": {"hidden_size": 6}},
    "classifier": {
        "task": {"name": "classify"},
        "model": {"hidden_size": 5, "embedding_size": 4, "bidirectional": True, "dropout": 0.3, "num_layers": 2},
    },
    "tagger": {
        "task": {"name": "tag"},
        "model": {
            "cell": "gru",
            "hidden_size": 3,
            "embedding_size": 2,
            "character_size": 2,
            "bidirectional": True,
            "embedding_dropout": 0.3,
        },
        "optimizer": {"name": "adam", "learning_rate": 0.001},
    },
    "translator": {
        "task": {"name": "translate", "reverse_source": True},
        "model": {"cell": "lstm", "hidden_size": 3, "embedding_size": 2, "num_layers": 2, "dropout": 0.3},
    },
    "translator with attention": {
        "task": {"name": "translate", "attention": "additive"},
        "model": {
            "cell": "gru",
            "hidden_size": 4,
            "embedding_size": 4,
            "bidirectional": True,
            "tie_weights": True,
        },
        "optimizer": {"name": "adam", "learning_rate": 0.001},
    },
    "translator, one-hot": {
        "task": {"name": "translate", "attention": "additive"},
        "model": {"hidden_size": 4, "softmax_samples": 20},
    },
}


@pytest.mark.usefixtures("back_end")
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
    right = Softmax.loss_and_gradient

    def wrong(self: Softmax, *arguments: object, **options: object) -> tuple[float, np.ndarray]:
        loss, ds = right(self, *arguments, **options)  # type: ignore[arg-type]
        self.table.gradient *= 1.001
        return loss, ds

    monkeypatch.setattr(Softmax, "loss_and_gradient", wrong)
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


Method = Callable[..., Any]


def negated(right: Method) -> Method:
    return lambda self, whole: right(self, -whole)


def forgetting(right: Method) -> Method:
    return lambda self: None


def without_the_last(right: Method) -> Method:
    return lambda self, ids, rows: right(self, ids[:-1], rows[:-1])


def with_a_row_unnoted(right: Method) -> Method:
    def wrong(self: Table, *arguments: object) -> None:
        right(self, *arguments)
        if self.rows is not None:
            self.rows = self.rows[1:]

    return wrong


def with_old_rows_noted(right: Method) -> Method:
    def wrong(self: Table, whole: np.ndarray) -> None:
        rows = self.rows
        right(self, whole)
        self.rows = rows

    return wrong


def half_in_several_blocks(right: Method) -> Method:
    def wrong(self: Softmax, s: np.ndarray, *arguments: Any) -> Any:
        result = right(self, s, *arguments)
        if len(list(self._blocks(len(s)))) > 1:
            self.table.gradient *= 0.5
        return result

    return wrong


def stale_without_targets(right: Method) -> Method:
    def wrong(self: Softmax, s: np.ndarray, *arguments: Any) -> Any:
        before = self.table.gradient.copy()
        result = right(self, s, *arguments)
        if len(s) == 0:
            self.table.gradient[...] = before
        return result

    return wrong


def half_without_padding(right: Method) -> Method:
    def wrong(self: Network, batch: Batch, *others: Any, **options: Any) -> Any:
        result = right(self, batch, *others, **options)
        if batch.mask.all():
            self.gradients["output.weight"] *= 0.5
        return result

    return wrong


TABLES = {"hidden_size": 5, "embedding_size": 4, "softmax_samples": 1600}


@pytest.mark.parametrize(
    ("owner", "name", "spoil", "model"),
    [
        (Table, "add", negated, {"hidden_size": 5}),
        (Table, "add", negated, {"hidden_size": 5, "embedding_size": 5, "tie_weights": True}),
        (Table, "add", negated, {"hidden_size": 5, "embedding_size": 4, "dropout": 0.1}),
        (Table, "add", with_old_rows_noted, {"hidden_size": 5, "embedding_size": 4}),
        (Table, "add_distinct", without_the_last, TABLES),
        (Table, "add_distinct", with_a_row_unnoted, TABLES),
        (Table, "add_rows", with_a_row_unnoted, TABLES | {"dropout": 0.2}),
        (Table, "begin", forgetting, TABLES | {"dropout": 0.2}),
        (Softmax, "loss_and_gradient", half_in_several_blocks, {"hidden_size": 5}),
        (Softmax, "loss_and_gradient", stale_without_targets, {"hidden_size": 8, "softmax_cutoffs": [2000]}),
        (Network, "backpropagate", half_without_padding, {"hidden_size": 5}),
    ],
)
def test_every_way_that_training_takes_is_checked(
    rnnlm: Command,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    spoil: Callable[[Method], Method],
    model: dict[str, object],
):
    config = write_config("c.yaml", model=model)
    assert rnnlm("gradcheck", "--config", config).exit_code == 0
    monkeypatch.setattr(owner, name, spoil(getattr(owner, name)))
    assert rnnlm("gradcheck", "--config", config).exit_code == 1


def test_truncation_is_checked_even_where_windows_are_longer_than_the_checks(
    rnnlm: Command, monkeypatch: pytest.MonkeyPatch
):
    def wrong(self: RecurrentLayer, errors: list[np.ndarray], steps: int) -> list[np.ndarray]:
        return right(self, errors, steps + 1)

    right = RecurrentLayer.backward_truncated
    monkeypatch.setattr(RecurrentLayer, "backward_truncated", wrong)
    config = write_config("c.yaml", model={"hidden_size": 5}, training={"bptt_truncate": 30})
    assert rnnlm("gradcheck", "--config", config).exit_code == 1


@pytest.mark.parametrize("size", [{"embedding_size": 700, "hidden_size": 700}, {"hidden_size": 900}])
def test_a_large_network_is_checked_in_small(rnnlm: Command, size: dict[str, int]):
    outcome = rnnlm("gradcheck", "--config", write_config("c.yaml", model=size), "--json")
    assert outcome.json["passed"] is True


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
