"""What can be configured, and how a configuration is read."""

from rnnlm.config.reading import SECTIONS, Config
from rnnlm.config.schema import (
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ScheduleConfig,
    TaskConfig,
    TrainingConfig,
)

__all__ = [
    "SECTIONS",
    "Config",
    "DataConfig",
    "ModelConfig",
    "OptimizerConfig",
    "ScheduleConfig",
    "TaskConfig",
    "TrainingConfig",
]
