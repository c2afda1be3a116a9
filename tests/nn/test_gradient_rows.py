import numpy as np
import pytest

from rnnlm.nn.network import Network
from tests import networks
from tests.networks import window

V, T, B = 40, 3, 2
OPTIONS: dict[str, dict[str, object]] = {
    "one-hot": {},
    "embedding": {"embedding_size": 6},
    "tied": {"embedding_size": 6, "tie_weights": True},
    "sampled": {"embedding_size": 6, "softmax_samples": 8},
    "sampled and tied": {"embedding_size": 6, "tie_weights": True, "softmax_samples": 8},
    "sampled, one-hot": {"softmax_samples": 8},
}
ROWS = {
    "one-hot": {"rnn.weight_ih_l0"},
    "embedding": {"embedding.weight"},
    "tied": set(),
    "sampled": {"embedding.weight", "output.weight"},
    "sampled and tied": {"embedding.weight"},
    "sampled, one-hot": {"rnn.weight_ih_l0", "output.weight"},
}


def make_network(case: str) -> Network:
    return networks.make_network(V, hidden_size=6, bias=True, dtype="float64", **OPTIONS[case])


@pytest.mark.parametrize("case", OPTIONS)
def test_tracked_gradients_are_those_that_are_not(case: str) -> None:
    tracking, plain = make_network(case), make_network(case)
    tracking.track_gradient_rows()
    ids = np.random.default_rng(0).integers(0, V, (4, T + 1, B))
    for step, of_step in enumerate(ids):
        found = []
        for network in (tracking, plain):
            rng, state = np.random.default_rng(step), network.initial_state(B)
            found.append(network.backpropagate(window(of_step), state, rng=rng)[0])
        assert found[0] == found[1]
        for name, gradient in tracking.gradients.items():
            np.testing.assert_array_equal(gradient, plain.gradients[name])
        rows = tracking.gradient_rows()
        assert plain.gradient_rows() == {}
        assert set(rows) == ROWS[case]
        for name, (used, axis) in rows.items():
            assert axis == (name == "rnn.weight_ih_l0")
            table = np.moveaxis(tracking.gradients[name], axis, 0)
            np.testing.assert_array_equal(used, np.unique(used))
            assert set(np.flatnonzero(table.any(axis=1))) <= set(used)
            assert len(used) < V
