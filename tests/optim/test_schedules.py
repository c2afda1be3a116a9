import json
from typing import Any

import pytest

from rnnlm.optim import SCHEDULES

OPTIONS: dict[str, dict[str, Any]] = {"step": {"first_epochs": 2, "factor": 0.5}, "cosine": {"warmup": 0.25}}


def test_constant_stays() -> None:
    schedule = SCHEDULES["constant"](0.1)
    schedule.evaluated(5.0)
    schedule.evaluated(6.0)
    assert schedule.learning_rate(0.9, 5) == 0.1


def test_linear_falls_to_zero() -> None:
    schedule = SCHEDULES["linear"](0.4)
    assert [schedule.learning_rate(done, 0) for done in (0.0, 0.25, 1.0)] == pytest.approx([0.4, 0.3, 0.0])


def test_halve_on_plateau_halves_whenever_the_loss_has_risen() -> None:
    schedule = SCHEDULES["halve_on_plateau"](0.8)
    rates = []
    for loss in [5.0, 4.0, 4.5, 4.4, 4.4, 4.6]:
        schedule.evaluated(loss)
        rates.append(schedule.learning_rate(0.5, 0))
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.4, 0.2])


def test_step_lowers_the_rate_with_every_epoch_after_the_first_ones() -> None:
    schedule = SCHEDULES["step"](0.8, first_epochs=3, factor=0.5)
    assert [schedule.learning_rate(0.5, epoch) for epoch in range(6)] == [0.8, 0.8, 0.8, 0.4, 0.2, 0.1]


def test_cosine_falls_to_zero() -> None:
    schedule = SCHEDULES["cosine"](0.4)
    rates = [schedule.learning_rate(done, 0) for done in (0.0, 1 / 3, 0.5, 2 / 3, 1.0)]
    assert rates == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0])


def test_cosine_warms_up_from_zero() -> None:
    schedule = SCHEDULES["cosine"](0.4, warmup=0.2)
    rates = [schedule.learning_rate(done, 0) for done in (0.0, 0.1, 0.2, 0.6, 1.0)]
    assert rates == pytest.approx([0.0, 0.2, 0.4, 0.2, 0.0])


@pytest.mark.parametrize("losses", [[], [5.0, 6.0]])
@pytest.mark.parametrize("name", SCHEDULES)
def test_state_survives_json(name: str, losses: list[float]) -> None:
    schedule, restored = (SCHEDULES[name](0.8, **OPTIONS.get(name, {})) for _ in range(2))
    for loss in losses:
        schedule.evaluated(loss)
    restored.load_state(json.loads(json.dumps(schedule.state())))
    for loss in [5.5, 5.6]:
        schedule.evaluated(loss)
        restored.evaluated(loss)
        assert restored.learning_rate(0.3, 2) == schedule.learning_rate(0.3, 2)
