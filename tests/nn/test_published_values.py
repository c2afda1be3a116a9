"""Numbers that others printed for the same equations."""

import numpy as np
import pytest

from rnnlm.nn.heads.softmax import Softmax
from rnnlm.nn.table import Table
from rnnlm.nn.vanilla import VanillaLayer
from tests.networks import initialization, make_network, window


def textbook_layer(rs: np.random.RandomState, x: np.ndarray) -> tuple[VanillaLayer, Softmax, np.ndarray]:
    """Draw, in the published order, the initial state, Waa, Wax, Wya, ba and by of a cell with 5 units."""
    a0, Waa, Wax, Wya = rs.randn(5, 10), rs.randn(5, 5), rs.randn(5, 3), rs.randn(2, 5)
    ba, by = rs.randn(5, 1), rs.randn(2, 1)
    layer = VanillaLayer(3, 5, True, initialization(), np.dtype("float64"))
    values = {"weight_ih": Wax, "weight_hh": Waa, "bias_ih": ba[:, 0], "bias_hh": np.zeros(5)}
    for name, value in values.items():
        layer.parameters[name][...] = value
    return layer, Softmax(Table(Wya), by[:, 0], np.zeros(2)), a0


def test_one_step_of_the_vanilla_cell() -> None:
    rs = np.random.RandomState(1)
    x = rs.randn(3, 10)
    layer, output, a0 = textbook_layer(rs, x)
    a_next = layer.forward(x.T[None], a0.T[None])[0][0].T
    y_pred = np.exp(output.log_probs(a_next.T)).T
    np.testing.assert_allclose(
        a_next[4],
        [0.59584544, 0.18141802, 0.61311866, 0.99808218, 0.85016201,
         0.99980978, -0.18887155, 0.99815551, 0.6531151, 0.82872037],
        atol=1e-8,
    )  # fmt: skip
    np.testing.assert_allclose(
        y_pred[1],
        [0.9888161, 0.01682021, 0.21140899, 0.36817467, 0.98988387,
         0.88945212, 0.36920224, 0.9966312, 0.9982559, 0.17746526],
        atol=1e-8,
    )  # fmt: skip


def test_the_cell_run_over_four_steps() -> None:
    rs = np.random.RandomState(1)
    x = rs.randn(3, 10, 4)
    layer, output, a0 = textbook_layer(rs, x)
    a, _ = layer.forward(x.transpose(2, 1, 0), a0.T[None])
    np.testing.assert_allclose(a[:, 1, 4], [-0.99999375, 0.77911235, -0.99861469, -0.99833267], atol=1e-8)
    y_pred = np.exp(output.log_probs(a.reshape(-1, 5))).reshape(4, 10, 2)
    np.testing.assert_allclose(y_pred[:, 3, 1], [0.79560373, 0.86224861, 0.11118257, 0.81515947], atol=1e-8)


def test_the_tutorials_untrained_network_knows_nothing() -> None:
    network = make_network(8000)
    assert {name: value.shape for name, value in network.parameters.items()} == {
        "rnn.weight_ih_l0": (100, 8000),
        "rnn.weight_hh_l0": (100, 100),
        "output.weight": (8000, 100),
    }
    ids = np.random.default_rng(0).integers(0, 8000, (21, 10))
    losses, _ = network.losses(window(ids), network.initial_state(10))
    assert losses.mean() == pytest.approx(np.log(8000), abs=0.01)
