from typing import Any

import numpy as np
import pytest

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.models.networks import make_network
from rnnlm.nn.batch import Batch
from rnnlm.training.step import TrainingStep

V, T, B = 60, 4, 3


def make_step(optimizer: dict[str, Any], **model: Any) -> TrainingStep:
    sections = {"model": {"hidden_size": 8, **model}, "training": {"dtype": "float64"}, "optimizer": optimizer}
    config = Config.model_validate(sections)
    return TrainingStep(make_network(config, V), config)


@pytest.mark.parametrize("name", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize(
    "model", [{}, {"hidden_size": 1}, {"embedding_size": 8}, {"embedding_size": 8, "tie_weights": True}]
)
def test_the_rows_that_a_step_used_are_updated_as_all_rows_are(name: str, model: dict[str, Any]) -> None:
    by_rows, whole = (make_step({"name": name, "clip_norm": 0.1}, softmax_samples=10, **model) for _ in range(2))
    assert by_rows.optimizer.takes_rows
    for table in (whole.network.source.table, *whole.network.head.tables.values()):
        table.tracks_rows = False
    ids = np.random.default_rng(0).integers(0, V, (6, T + 1, B))
    for seed, window in enumerate(ids):
        batch = Batch(window[:-1], window[1:], np.ones((T, B), bool), continues=False)
        state = by_rows.network.initial_state(B)
        results = [step.take(batch, state, 0.5, np.random.default_rng(seed)) for step in (by_rows, whole)]
        assert results[0].gradient_norm == pytest.approx(results[1].gradient_norm, rel=1e-12)
        assert results[0].gradient_norm > 0.1
    assert by_rows.network.gradient_rows()
    assert not whole.network.gradient_rows()
    for parameter, value in whole.network.parameters.items():
        np.testing.assert_allclose(by_rows.network.parameters[parameter], value, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "adam", "weight_decay": 0.1},
        {"name": "adamw", "weight_decay": 0.1},
        {"name": "rmsprop"},
        {"name": "asgd"},
        {"momentum": 0.9},
        {"weight_decay": 0.1},
    ],
)
def test_optimizers_that_need_the_gradient_of_every_row_are_given_it(optimizer: dict[str, Any]) -> None:
    step = make_step(optimizer)
    assert not step.optimizer.takes_rows
    ids = np.ones((T, B), int)
    batch = Batch(ids, ids, np.ones((T, B), bool), continues=False)
    step.take(batch, step.network.initial_state(B), 0.1, np.random.default_rng(0))
    assert not step.network.gradient_rows()


def test_elements_are_cut_after_the_whole_gradient_is_scaled() -> None:
    step = make_step({"clip_norm": 0.1, "clip_value": 0.01})
    before = {name: value.copy() for name, value in step.network.parameters.items()}
    ids = np.random.default_rng(0).integers(0, V, (T + 1, B))
    batch = Batch(ids[:-1], ids[1:], np.ones((T, B), bool))
    state = step.network.initial_state(B)
    step.network.backpropagate(batch, state)
    gradients = {name: gradient.copy() for name, gradient in step.network.gradients.items()}
    scale = 0.1 / step.take(batch, state, 0.5, np.random.default_rng(0)).gradient_norm
    assert scale < 1
    assert max(np.abs(scale * gradient).max() for gradient in gradients.values()) > 0.01
    for name, gradient in gradients.items():
        expected = before[name] - 0.5 * np.clip(scale * gradient, -0.01, 0.01)
        np.testing.assert_allclose(step.network.parameters[name], expected, rtol=1e-12, atol=1e-15)


def test_clipping_to_next_to_nothing_changes_nothing() -> None:
    step = make_step({"clip_norm": 5e-324, "clip_value": 0.01})
    step.network.parameters["output.weight"] *= 100
    before = {name: value.copy() for name, value in step.network.parameters.items()}
    ids = np.random.default_rng(0).integers(0, V, (T + 1, B))
    batch = Batch(ids[:-1], ids[1:], np.ones((T, B), bool), continues=False)
    step.take(batch, step.network.initial_state(B), 0.5, np.random.default_rng(0))
    for name, value in before.items():
        np.testing.assert_array_equal(step.network.parameters[name], value)


def test_an_adaptive_softmax_needs_a_vocabulary_above_its_cutoffs() -> None:
    with pytest.raises(
        RnnlmError, match=r"^model.softmax_cutoffs: \[20, 60\] must be below the vocabulary's 60 tokens"
    ):
        make_step({}, softmax_cutoffs=[20, 60])
