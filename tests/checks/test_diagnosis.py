import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlm.checks.diagnosis import STREAMS, WINDOWS, Diagnosis, diagnose, plot
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.nn import Network
from rnnlm.nn.cells import CELLS
from rnnlm.text.vocabulary import Vocabulary
from tests.networks import make_network

V, H, D = 9, 5, 6


def split(predictions: int) -> Split:
    """Make a split that is one sentence of random words."""
    words = np.random.default_rng(0).integers(3, V, predictions - 1)
    ids = np.array([Vocabulary.start_id, *words, Vocabulary.end_id])
    return Split("valid", ids, np.array([0, len(ids)], np.uint64), 0, 0)


def make(**options: object) -> Network:
    return make_network(V, hidden_size=H, dtype="float64", seed=2, **options)


def last_loss(network: Network, ids: np.ndarray, layer: int, step: int, change: np.ndarray) -> float:
    """Compute the loss of the last step after a change of one layer's h at one step."""
    state = network.initial_state(1)
    for t, token in enumerate(ids[:-1]):
        x = network.source.forward(np.array([[token]]))
        for k, recurrent in enumerate(network.stack.layers):
            y, state[k] = recurrent.forward(x, state[k])
            x = y.copy()
            if (k, t) == (layer, step):
                x[0, 0] += change
                state[k, 0, 0] += change
    return float(network.head.losses(x[0], ids[-1:])[0])


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_is_what_a_change_of_the_hidden_state_does_to_the_last_loss(cell: str, num_layers: int):
    network = make(cell=cell, num_layers=num_layers, embedding_size=4, bias=True)
    text = split(D + 1)
    diagnosis = diagnose(network, text, D)
    assert diagnosis.windows == 1
    eps = 1e-5
    expected = np.zeros((num_layers, D + 1))
    for layer, d in np.ndindex(expected.shape):
        changes = eps * np.eye(H)
        slopes = [
            last_loss(network, text.ids, layer, D - d, change)
            - last_loss(network, text.ids, layer, D - d, -change)
            for change in changes
        ]
        expected[layer, d] = np.linalg.norm(slopes) / (2 * eps)
    np.testing.assert_allclose(diagnosis.norms, expected, rtol=1e-5, atol=1e-10)


def test_the_gradient_of_a_time_delay_network_ends_with_its_width():
    diagnosis = diagnose(make(cell="time_delay", width=3, num_layers=2), split(D + 1), D)
    np.testing.assert_array_equal(diagnosis.norms > 0, np.arange(D + 1) < [[3], [1]])


def test_the_gradient_of_the_vanilla_network_is_the_product_of_the_textbooks_jacobians():
    network = make()
    text = split(D + 1)
    U, W, V_ = (network.parameters[name] for name in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "output.weight"))
    states = [np.zeros(H)]
    for token in text.ids[:-1]:
        states.append(np.tanh(U[:, token] + W @ states[-1]))
    exponentials = np.exp(V_ @ states[-1])
    error = exponentials / exponentials.sum() - np.eye(V)[text.ids[-1]]
    # ∂L_T/∂h_{T-d} = (ŷ - y)ᵀ V ∏ diag(1 - h_j²) W, j = T … T-d+1
    gradient = error @ V_
    expected = [np.linalg.norm(gradient)]
    for h in states[:1:-1]:
        gradient = gradient @ np.diag(1 - h**2) @ W
        expected.append(np.linalg.norm(gradient))
    np.testing.assert_allclose(diagnose(network, text, D).norms, [expected], rtol=1e-12)


def test_the_mean_is_that_of_windows_side_by_side_and_one_after_the_other():
    network = make(num_layers=2)
    text = split(8 * (D + 1))
    diagnosis = diagnose(network, text, D)
    assert diagnosis.windows == 8
    total = np.zeros((2, D + 1))
    for start in range(0, 8 * (D + 1), D + 1):
        part = text.ids[start : start + D + 2]
        total += diagnose(network, Split("valid", part, np.array([0, len(part)], np.uint64), 0, 0), D).norms
    np.testing.assert_allclose(diagnosis.norms, total / 8, rtol=1e-12)


@pytest.mark.parametrize(
    ("predictions", "windows"),
    [
        (D + 1, 1),
        (STREAMS * (D + 1), STREAMS),
        # 15 tokens a stream: 18 streams of two windows, one of 11 tokens, and one that is empty.
        (2 * STREAMS * (D + 1) + 1, 2 * 18 + 1),
        (2 * WINDOWS * (D + 1), WINDOWS),
    ],
)
def test_every_window_counted_is_a_whole_one(predictions: int, windows: int):
    assert diagnose(make(), split(predictions), D).windows == windows


def test_tiny_gradients_are_measured_in_single_precision_too():
    network = make_network(V, hidden_size=H, dtype="float32")
    network.parameters["rnn.weight_hh_l0"][...] = 1e-3 * np.eye(H, dtype=np.float32)
    norms = diagnose(network, split(10), 9).norms[0]
    np.testing.assert_allclose(norms[9] / norms[8], 1e-3, rtol=0.5)
    assert 0 < norms[9] < 1e-25


def test_relative_norms_begin_at_one():
    diagnosis = Diagnosis(np.array([[2.0, 1.0, 0.5], [0.0, 0.0, 0.0]]), 1)
    np.testing.assert_array_equal(diagnosis.relative, [[1, 0.5, 0.25], [0, 0, 0]])


def test_a_text_that_is_too_short_is_refused():
    message = "The text has 6 tokens, but a distance of 6 needs 7; give more text or a smaller distance."
    with pytest.raises(RnnlmError, match=message):
        diagnose(make(), split(D), D)


def test_a_gradient_that_overflows_is_refused():
    network = make(nonlinearity="relu")
    for name in ("rnn.weight_ih_l0", "rnn.weight_hh_l0"):
        network.parameters[name][...] = 1e200
    with pytest.raises(RnnlmError, match="The gradient is not a finite number"):
        diagnose(network, split(D + 1), D)


def test_a_dataset_gives_windows_from_all_over_it(word_data: Dataset):
    network = make_network(len(word_data.vocabulary), hidden_size=H)
    assert diagnose(network, word_data.train, 3).windows > STREAMS


def test_a_plot_is_drawn(tmp_path: Path):
    pytest.importorskip("matplotlib")
    norms = np.array([[1.0, 0.5, 0.25], [1.0, 0.1, 0.0]])
    diagnoses = {"runs/a": Diagnosis(norms, 1), "runs/b": Diagnosis(norms[:1], 1)}
    plot(diagnoses, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    plot(diagnoses, tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    with pytest.raises(RnnlmError, match=r"a\.txt: .* name a \.png file\."):
        plot(diagnoses, tmp_path / "a.txt")


def test_without_matplotlib_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(RnnlmError, match=r"Plotting needs matplotlib; run: pip install matplotlib\."):
        plot({}, tmp_path / "a.png")
