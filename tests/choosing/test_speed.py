import pytest

from rnnlm.choosing import speed
from rnnlm.choosing.begin import TIMED_UNITS, speed_of
from rnnlm.choosing.sizes import ladder
from rnnlm.choosing.speed import Speed
from rnnlm.config import Config

from .texts import facts


def test_the_class_is_that_of_the_fastest_and_noise_does_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {size.units: size for size in ladder(facts())}

    def at(*gigaoperations: float) -> Speed:
        rates = dict(zip(TIMED_UNITS, gigaoperations, strict=True))

        def fastest(config: Config, seconds: float) -> float:
            tokens = config.training.batch_size * config.training.bptt_steps
            units = config.model.hidden_size
            return tokens * sizes[units].operations / (rates[units] * 1e9)

        monkeypatch.setattr(speed, "fastest_step", fastest)
        return speed_of(facts())

    assert at(40, 50, 45) == at(36, 38, 60) == at(1, 40, 1) == Speed(35)
    assert at(80, 80, 80) == Speed(36)


def test_tokens_and_seconds_belong_together() -> None:
    size = ladder(facts())[0]
    assert Speed(30).tokens(size, 2.0) == 2 * Speed(29).tokens(size, 2.0)
    assert Speed(30).seconds(size, Speed(30).tokens(size, 7.0)) == pytest.approx(7.0)


def test_a_machine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.01)
    assert 20 < speed_of(facts(vocabulary_size=60)).exponent < 50
