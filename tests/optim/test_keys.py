from pathlib import Path
from typing import get_args

import pytest

from rnnlm.config import Config, OptimizerConfig, ScheduleConfig
from rnnlm.errors import RnnlmError
from rnnlm.optim import OPTIMIZERS, SCHEDULES


def test_every_name_is_known() -> None:
    assert set(get_args(OptimizerConfig.model_fields["name"].annotation)) == OPTIMIZERS.keys()
    assert set(get_args(ScheduleConfig.model_fields["name"].annotation)) == SCHEDULES.keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "optimizer: {name: adam, momentum: 0.9}",
            "optimizer: momentum is for sgd only, not for adam; leave it out.",
        ),
        (
            "optimizer: {name: asgd, nesterov: true}",
            "optimizer: nesterov is for sgd only, not for asgd; leave it out.",
        ),
        ("optimizer: {nesterov: true}", "optimizer: nesterov needs a momentum above 0."),
        ("optimizer: {momentum: 1}", "optimizer.momentum: must be less than 1, not 1."),
        ("optimizer: {clip_value: 0}", "optimizer.clip_value: must be greater than 0, not 0."),
        (
            "schedule: {warmup: 0.1}",
            "schedule: warmup is for cosine only, not for halve_on_plateau; leave it out.",
        ),
        (
            "schedule: {name: cosine, factor: 0.1}",
            "schedule: factor is for step only, not for cosine; leave it out.",
        ),
        ("schedule: {name: cosine, warmup: 1}", "schedule.warmup: must be less than 1, not 1."),
        ("schedule: {name: step, factor: 1.2}", "schedule.factor: must be less than 1, not 1.2."),
        (
            "schedule: {name: step, first_epochs: 0}",
            "schedule.first_epochs: must be greater than or equal to 1, not 0.",
        ),
    ],
)
def test_keys_that_do_not_apply_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(RnnlmError) as caught:
        Config.load(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_key_at_its_default_applies_to_every_name(tmp_path: Path) -> None:
    config = Config.model_validate({"optimizer": {"name": "adam", "momentum": 0}, "schedule": {"warmup": 0}})
    (tmp_path / "saved.yaml").write_text(config.to_yaml())
    assert Config.load(tmp_path / "saved.yaml") == config


def test_an_optimizer_and_a_schedule_are_made_with_the_keys_for_them() -> None:
    config = Config.model_validate(
        {"optimizer": {"momentum": 0.9, "clip_value": 1}, "schedule": {"name": "step", "factor": 0.8}}
    )
    assert config.optimizer.options() == {"momentum": 0.9, "nesterov": False}
    assert config.schedule.options() == {"first_epochs": 4, "factor": 0.8}
    assert OptimizerConfig(name="adam").options() == {}
