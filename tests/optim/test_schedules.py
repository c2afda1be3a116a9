import json

import pytest

from rnnlm.optim import SCHEDULES


def test_constant_stays() -> None:
    schedule = SCHEDULES["constant"](0.1)
    schedule.evaluated(5.0)
    schedule.evaluated(6.0)
    assert schedule.learning_rate(0.9) == 0.1


def test_linear_falls_to_zero() -> None:
    schedule = SCHEDULES["linear"](0.4)
    assert [schedule.learning_rate(done) for done in (0.0, 0.25, 1.0)] == pytest.approx([0.4, 0.3, 0.0])


def test_halve_on_plateau_halves_whenever_the_loss_has_not_fallen() -> None:
    schedule = SCHEDULES["halve_on_plateau"](0.8)
    rates = []
    for loss in [5.0, 4.0, 4.5, 4.4, 4.4, 3.0]:
        schedule.evaluated(loss)
        rates.append(schedule.learning_rate(0.5))
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.2])


@pytest.mark.parametrize("losses", [[], [5.0, 6.0]])
@pytest.mark.parametrize("name", SCHEDULES)
def test_state_survives_json(name: str, losses: list[float]) -> None:
    schedule, restored = SCHEDULES[name](0.8), SCHEDULES[name](0.8)
    for loss in losses:
        schedule.evaluated(loss)
    restored.load_state(json.loads(json.dumps(schedule.state())))
    for loss in [5.5, 5.6]:
        schedule.evaluated(loss)
        restored.evaluated(loss)
        assert restored.learning_rate(0.3) == schedule.learning_rate(0.3)
