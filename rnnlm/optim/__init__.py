"""From gradients to new weights."""

from rnnlm.optim.adagrad import Adagrad
from rnnlm.optim.adam import Adam, AdamW
from rnnlm.optim.clipping import clip_by_value, global_norm, norm_factor
from rnnlm.optim.optimizer import Optimizer, RowGradient
from rnnlm.optim.rmsprop import RMSprop
from rnnlm.optim.schedules import SCHEDULES, Schedule
from rnnlm.optim.sgd import ASGD, SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "asgd": ASGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""The optimizers by their names in a configuration."""

__all__ = [
    "ASGD",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "RowGradient",
    "Schedule",
    "clip_by_value",
    "global_norm",
    "norm_factor",
]
