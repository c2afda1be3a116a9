"""What can be configured, and how a configuration is read."""

from rnnlm.config.reading import Config
from rnnlm.config.schema import (
    SECTIONS,
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ScheduleConfig,
    TrainingConfig,
)

__all__ = [
    "SECTIONS",
    "Config",
    "DataConfig",
    "ModelConfig",
    "OptimizerConfig",
    "ScheduleConfig",
    "TrainingConfig",
]
