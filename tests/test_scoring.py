import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.evaluation import Evaluation, evaluate
from rnnlm.model import LanguageModel
from rnnlm.nn.arrays import Floats
from rnnlm.scoring import Reading, dynamic_losses, losses, readings, split_losses

IDS = np.array([1, 5, 4, 2, 1, 3, 2])


def test_what_is_read_and_what_is_predicted():
    [first, second] = readings(IDS, "sentences")
    assert (first.inputs.tolist(), first.targets.tolist()) == ([1, 5, 4], [5, 4, 2])
    assert (second.inputs.tolist(), second.targets.tolist()) == ([1, 3], [3, 2])
    [stream] = readings(IDS, "stream")
    assert (stream.inputs.tolist(), stream.targets.tolist()) == ([1, 5, 4, 1, 3], [5, 4, 2, 3, 2])
    assert [part.inputs.tolist() for part in stream.cut(2)] == [[1, 5], [4, 1], [3]]
    assert readings(IDS[:0], "sentences") == readings(IDS[:0], "stream") == []


@pytest.mark.parametrize("name", ["word_model", "char_model"])
def test_side_by_side_is_as_one_by_one(name: str, request: pytest.FixtureRequest):
    model: LanguageModel = request.getfixturevalue(name)
    rng = np.random.default_rng(0)
    # Some end within a window, some with one, some in a later one.
    some = [Reading(*rng.integers(3, len(model.vocabulary), (2, length))) for length in (5, 200, 0, 64, 1, 128)]
    one_by_one = []
    for inputs, targets in some:
        if len(inputs):
            log_probs = model.log_probs(inputs)
            one_by_one.append(-log_probs[range(len(targets)), targets])
    assert losses(model.network, some) == pytest.approx(np.concatenate(one_by_one), abs=1e-4)
    assert losses(model.network, []).shape == (0,)


@pytest.mark.parametrize("batching", ["sentences", "stream"])
def test_a_split_is_measured_as_by_evaluate(word_model: LanguageModel, word_data: Dataset, batching: str):
    for split in (word_data.train, word_data.test):
        expected = evaluate(word_model.network, split, batching)
        found = Evaluation.of(split_losses(word_model.network, split, batching), split)
        assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(expected), rel=1e-5)
    [first] = readings(split.sentence(0).astype(int), "sentences")
    in_order = split_losses(word_model.network, split, batching)[: len(first.targets)]
    assert in_order == pytest.approx(losses(word_model.network, [first]), abs=1e-5)


def score_then_step(model: LanguageModel, text: list[Reading], rate: float, steps: int) -> Floats:
    """Evaluate dynamically in the plainest way."""
    network, found = model.network, []
    for reading in text:
        state = network.initial_state(1)
        for start in range(0, len(reading.inputs), steps):
            inputs = reading.inputs[start : start + steps, None]
            targets = reading.targets[start : start + steps, None]
            log_probs, after = network.log_probs(inputs, state)
            found.append(-log_probs[range(len(targets)), 0, targets[:, 0]])
            network.backpropagate(inputs, targets, np.ones(inputs.shape, bool), state)
            for name, parameter in network.parameters.items():
                parameter -= rate * network.gradients[name]
            state = after
    return np.concatenate(found)


@pytest.mark.parametrize(
    ("run", "batching"), [("word_run", "sentences"), ("word_run", "stream"), ("char_run", "stream")]
)
def test_dynamic_evaluation_is_a_loop_of_score_and_step(run: str, batching: str, request: pytest.FixtureRequest):
    one, other = (LanguageModel.load(request.getfixturevalue(run)) for _ in range(2))
    ids = np.array([1, 7, 4, 5, 3, 7, 4, 2, 1, 7, 2, 1, 7, 4, 5, 6, 2])
    text = readings(ids, batching)
    found = dynamic_losses(one.network, text, 0.2, steps=3)
    assert found == pytest.approx(score_then_step(other, text, 0.2, steps=3), rel=1e-4)
    assert not np.allclose(
        found, losses(LanguageModel.load(request.getfixturevalue(run)).network, text), rtol=1e-2
    )


def test_a_rate_that_is_too_large_is_named(word_run: Path):
    network = LanguageModel.load(word_run).network
    with pytest.raises(RnnlmError, match="dynamic evaluation diverged at the rate 1e\\+39; choose a smaller one"):
        dynamic_losses(network, readings(np.tile(IDS, 9), "stream"), 1e39, steps=3)
