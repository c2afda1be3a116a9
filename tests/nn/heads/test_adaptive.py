import numpy as np
import pytest

from rnnlm.nn.gradient_check import gradient_check
from rnnlm.nn.heads.adaptive import AdaptiveSoftmax
from tests.networks import initialization, make_network, window

C, H, CUTOFFS = 30, 16, [5, 12]


def make(bias: bool = True) -> AdaptiveSoftmax:
    softmax = AdaptiveSoftmax(C, H, CUTOFFS, bias, initialization(), np.dtype("float64"))
    for name, value in softmax.parameters.items():
        value[...] = np.random.default_rng(len(name)).normal(size=value.shape)
    return softmax


def textbook(softmax: AdaptiveSoftmax, s: np.ndarray) -> np.ndarray:
    """The probabilities of all words for one row of features, word by word."""

    def probabilities(logits: np.ndarray) -> np.ndarray:
        return np.exp(logits) / np.exp(logits).sum()

    p = softmax.parameters
    head = probabilities(p["head.weight"] @ s + p.get("head.bias", 0))
    tails = [probabilities(p[f"tail.{k}.1.weight"] @ (p[f"tail.{k}.0.weight"] @ s)) for k in range(2)]
    return np.array(
        [head[w] for w in range(5)]
        + [head[5] * tails[0][w - 5] for w in range(5, 12)]
        + [head[6] * tails[1][w - 12] for w in range(12, 30)]
    )


@pytest.mark.parametrize("bias", [True, False])
def test_it_gives_what_the_equations_say(bias: bool) -> None:
    softmax, s = make(bias), np.random.default_rng(1).normal(size=(3, H))
    expected = np.log([textbook(softmax, row) for row in s])
    np.testing.assert_allclose(softmax.log_probs(s), expected, rtol=1e-10)
    np.testing.assert_allclose(np.exp(softmax.log_probs(s)).sum(axis=1), 1, rtol=1e-12)
    for target in (0, 4, 5, 11, 12, 29):
        np.testing.assert_allclose(softmax.losses(s, np.full(3, target)), -expected[:, target], rtol=1e-10)


def test_rarer_words_have_fewer_features() -> None:
    assert {name: value.shape for name, value in make().parameters.items()} == {
        "head.weight": (7, 16),
        "head.bias": (7,),
        "tail.0.0.weight": (4, 16),
        "tail.0.1.weight": (7, 4),
        "tail.1.0.weight": (1, 16),
        "tail.1.1.weight": (18, 1),
    }


def test_the_loss_is_the_sum_and_a_cluster_without_targets_has_no_gradient() -> None:
    softmax, s = make(), np.random.default_rng(1).normal(size=(4, H))
    for gradient in softmax.gradients.values():
        gradient[...] = 9
    targets = np.array([3, 20, 0, 12])
    softmax.begin()
    loss, ds = softmax.loss_and_gradient(s, targets, 0.5)
    assert loss == pytest.approx(softmax.losses(s, targets).sum(), rel=1e-12)
    assert ds.shape == s.shape
    assert not softmax.gradients["tail.0.0.weight"].any()
    assert not softmax.gradients["tail.0.1.weight"].any()
    assert np.all(softmax.gradients["tail.1.0.weight"] != 9)


@pytest.mark.parametrize("bias", [True, False])
def test_every_gradient_agrees_with_central_differences(bias: bool) -> None:
    network = make_network(
        C, hidden_size=8, embedding_size=3, bias=bias, softmax_cutoffs=CUTOFFS, dtype="float64", seed=1
    )
    rng = np.random.default_rng(0)
    ids, mask = rng.integers(0, C, (7, 5)), np.ones((6, 5), bool)
    mask[4:, 1] = False
    errors = gradient_check(network, window(ids, mask), network.initial_state(5))
    assert set(errors) == set(network.parameters)
    assert "output.tail.1.0.weight" in errors
    assert max(errors.values()) < 1e-6


def test_it_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    softmax = make()
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(H, C, CUTOFFS, head_bias=True, dtype=torch.float64)
    theirs.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in softmax.parameters.items()})
    rng = np.random.default_rng(2)
    s, targets = rng.normal(size=(20, H)), rng.integers(0, C, 20)
    rows = torch.from_numpy(s).requires_grad_()
    np.testing.assert_allclose(softmax.log_probs(s), theirs.log_prob(rows).detach(), rtol=1e-10)
    softmax.begin()
    loss, ds = softmax.loss_and_gradient(s, targets, 1 / 20)
    found = theirs(rows, torch.from_numpy(targets))
    found.loss.backward()
    assert loss / 20 == pytest.approx(found.loss.item(), rel=1e-10)
    np.testing.assert_allclose(ds, rows.grad, rtol=1e-10, atol=1e-12)
    for name, parameter in theirs.named_parameters():
        np.testing.assert_allclose(softmax.gradients[name], parameter.grad, rtol=1e-10, atol=1e-12)
