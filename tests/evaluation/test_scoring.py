from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.scoring import Losses, dynamic_losses, losses, readings, split_losses
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.batch import Batch

IDS = np.array([1, 5, 4, 2, 1, 3, 2])


def in_order(windows: Iterable[Losses], length: int) -> Floats:
    """Return losses in the order of a text of so many ids; at its starts they are NaN."""
    found = np.full(length, np.nan)
    for at, nats in windows:
        assert np.isnan(found[at]).all()
        found[at] = nats
    return found


def one_by_one(model: LanguageModel, ids: Ids, parts: Ids) -> Floats:
    """Compute the losses of parts of a text in the plainest way."""
    found = np.full(len(ids), np.nan)
    for start, length in parts:
        at = [k for k in range(start, len(ids)) if ids[k] != 1][:length]
        log_probs = model.log_probs([int(ids[k - 1]) for k in at])
        found[at] = -log_probs[range(length), ids[at]]
    return found


def test_what_is_read_from_the_zero_state():
    assert readings(IDS, carries_state=False).tolist() == [[0, 3], [4, 2]]
    assert readings(IDS, carries_state=True).tolist() == [[0, 5]]
    assert len(readings(IDS[:0], carries_state=False)) == len(readings(IDS[:0], carries_state=True)) == 0


@pytest.mark.parametrize("name", ["word_model", "char_model"])
@pytest.mark.parametrize("steps", [1, 64, 1000])
def test_side_by_side_is_as_one_by_one(name: str, steps: int, request: pytest.FixtureRequest):
    model: LanguageModel = request.getfixturevalue(name)
    rng = np.random.default_rng(0)
    lengths = [5, 200, 1, 64, 2, 128, *rng.integers(1, 9, 80)]
    words = [rng.integers(3, len(model.vocabulary), length - 1) for length in lengths]
    ids = np.concatenate([[1, *sentence, 2] for sentence in words]).astype(np.uint16)
    # Sentences, and parts that begin within a sentence and go on over others; some end with a window.
    for parts in (readings(ids, carries_state=False), np.array([[3, 150], [160, 64], [240, 1], [242, 128]])):
        found = in_order(losses(model.network, ids, parts, steps=steps), len(ids))
        assert found == pytest.approx(one_by_one(model, ids, parts), abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("carries_state", [False, True])
def test_a_split_is_measured_where_its_tokens_stand(
    word_model: LanguageModel, word_data: Dataset, carries_state: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rnnlm.evaluation.scoring.POOL", 7)
    monkeypatch.setattr("rnnlm.evaluation.scoring.SHORTEST_STREAM", 50)
    split = word_data.train
    parts = readings(split.ids, carries_state)
    if carries_state:
        number = split.num_tokens // 50
        length = -(-split.num_tokens // number)
        predicted = np.flatnonzero(split.ids != 1)[::length]
        parts = np.array([(start, length) for start in predicted])
        parts[-1, 1] = split.num_tokens - length * (len(parts) - 1)
    found = in_order(split_losses(word_model.network, split, carries_state), len(split.ids))
    assert found == pytest.approx(one_by_one(word_model, split.ids, parts), abs=1e-4, nan_ok=True)


def score_then_step(model: LanguageModel, ids: Ids, parts: Ids, rate: float, steps: int) -> Floats:
    """Evaluate dynamically in the plainest way."""
    network, found = model.network, []
    for first, length in parts:
        sentences = ids[first:]
        read, predicted = sentences[sentences != 2][:length], sentences[sentences != 1][:length]
        state = network.initial_state(1)
        for start in range(0, length, steps):
            inputs, targets = read[start : start + steps, None], predicted[start : start + steps, None]
            log_probs, after = network.log_probs(inputs, state)
            found.append(-log_probs[range(len(targets)), 0, targets[:, 0]])
            network.backpropagate(Batch(inputs, targets, np.ones(inputs.shape, bool)), state)
            for name, parameter in network.parameters.items():
                parameter -= rate * network.gradients[name]
            state = after
    return np.concatenate(found)


@pytest.mark.parametrize(("run", "carries_state"), [("word_run", False), ("word_run", True), ("char_run", True)])
def test_dynamic_evaluation_is_a_loop_of_score_and_step(
    run: str, carries_state: bool, request: pytest.FixtureRequest
):
    one, other, still = (LanguageModel.load(request.getfixturevalue(run)) for _ in range(3))
    ids = np.array([1, 7, 4, 5, 3, 7, 4, 2, 1, 7, 2, 1, 7, 4, 5, 6, 2])
    parts, predicted = readings(ids, carries_state), ids != 1
    found = in_order(dynamic_losses(one.network, ids, parts, 0.2, steps=3), len(ids))[predicted]
    assert found == pytest.approx(score_then_step(other, ids, parts, 0.2, steps=3), rel=1e-4)
    assert not np.allclose(found, in_order(losses(still.network, ids, parts), len(ids))[predicted], rtol=1e-2)


def test_a_rate_that_is_too_large_is_named(word_run: Path):
    network, text = LanguageModel.load(word_run).network, np.tile(IDS, 9)
    message = "Dynamic evaluation diverged at the rate 1e\\+39; choose a smaller one"
    with pytest.raises(RnnlmError, match=message), np.errstate(all="ignore"):
        list(dynamic_losses(network, text, readings(text, carries_state=True), 1e39, steps=3))
