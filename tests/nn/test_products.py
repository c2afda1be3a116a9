import numpy as np
import pytest

from rnnlm.nn import products, threads
from rnnlm.nn.bidirectional import Bidirectional
from rnnlm.nn.cells import CELLS
from tests.networks import make_layer


@pytest.mark.parametrize("shape", [(12, 5, 3), (13, 5, 3), (7, 1, 1), (4, 30, 30), (1, 9, 9)])
@pytest.mark.parametrize("unpacked", [1, 30, 100, 10**6])
def test_pieces_make_up_the_product(
    shape: tuple[int, int, int], unpacked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "UNPACKED", unpacked)
    monkeypatch.setattr(threads, "_number", 1)
    M, K, B = shape
    rng = np.random.default_rng(0)
    W, x, out = rng.normal(size=(M, K)), rng.normal(size=(K, B)), np.full((M, B), np.nan)
    products.product(W, x, out)
    np.testing.assert_allclose(out, W @ x, rtol=1e-13, atol=1e-13)


def test_products_of_time_steps_are_small_enough_to_be_read_as_they_lie() -> None:
    for M, K, B in ((512, 128, 32), (128, 512, 32), (800, 200, 20), (2048, 512, 10)):
        pieces = products._pieces(M, K, B)
        assert M % pieces == 0
        assert M // pieces * K * B <= products.UNPACKED
    assert products._pieces(4, 10, 10) == 1


@pytest.mark.parametrize("cell", CELLS)
def test_layers_compute_the_same_whoever_has_the_threads(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "UNPACKED", 20)
    results = []
    for number in (0, 1, 2):
        monkeypatch.setattr(threads, "_number", number)
        layer = Bidirectional(*(make_layer(cell, 5, 4, seed) for seed in (0, 1)))
        x = np.random.default_rng(2).normal(size=(6, 3, 5))
        y, _ = layer.forward(x, layer.initial_state(3))
        results.append([y.copy(), layer.backward(np.sin(y)).copy(), *layer.gradients.values()])
    for one, *others in zip(*results, strict=True):
        for other in others:
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("shape", [(7, 5, 3), (3, 5, 7), (1, 4, 1), (2, 0, 3)])
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_shared_products_are_whole(shape: tuple[int, int, int], number: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "WORTH_SHARING", 0)
    monkeypatch.setattr(threads, "_number", number)
    M, K, N = shape
    rng = np.random.default_rng(0)
    a, b, out = rng.normal(size=(M, K)), rng.normal(size=(N, K)).T, np.full((M, N + 2), np.nan)[:, :N]
    assert products.matmul(a, b, out) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-13, atol=1e-13)


def test_rows_of_one_id_are_added_up_without_compiled_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_compiled", None)
    rng = np.random.default_rng(0)
    for N, n, C in ((1, 1, 1), (40, 33, 5), (0, 7, 2)):
        rows, ids, out = rng.normal(size=(N, n)), rng.integers(0, C, N), np.full((C, n), np.nan)
        products.add_up(rows, ids, out)
        expected = np.zeros((C, n))
        np.add.at(expected, ids, rows)
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)


def test_without_compiled_steps_of_gradient_descent_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_compiled", None)
    theta = np.ones(3)
    assert not products.descend(theta, np.ones(3), 0.5)
    np.testing.assert_array_equal(theta, 1)
