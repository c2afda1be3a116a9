import numpy as np
import pytest

from rnnlm.config import Config
from scripts.compare_choices import random_configuration, table
from tests.choosing.texts import facts


@pytest.mark.parametrize("vocabulary_size", [60, 2_000, 8_000])
def test_what_a_person_might_try_is_a_configuration(vocabulary_size: int) -> None:
    found = [
        random_configuration(facts(20_000, vocabulary_size), 60.0, np.random.default_rng(k)) for k in range(40)
    ]
    configs = [Config.model_validate(values) for values in found]
    assert len({config.model.hidden_size for config in configs}) > 20
    assert {config.optimizer.name for config in configs} == {"sgd", "adam"}
    assert all(config.training.max_seconds == 60 for config in configs)


def test_the_chosen_one_stands_beside_the_random_ones() -> None:
    losses = {"random 0": 2.0, "random 1": 1.0, "random 2": 4.0, "chosen": 1.5}
    results = [{"data": "a", "name": name, "loss": loss} for name, loss in losses.items()]
    unfinished = [{"data": "b", "name": "random 0", "loss": 1.0}]
    assert list(table(results + unfinished))[2:] == ["| a | 1.500 | 1.000 | 2.000 | 4.000 | 1 of 3 |"]
