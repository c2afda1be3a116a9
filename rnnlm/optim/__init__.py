"""From gradients to new weights."""

from rnnlm.optim.adam import Adam
from rnnlm.optim.clipping import clip_by_norm, global_norm
from rnnlm.optim.schedules import SCHEDULES, Schedule
from rnnlm.optim.sgd import SGD

OPTIMIZERS: dict[str, type[SGD]] = {"adam": Adam, "sgd": SGD}
"""The optimizers by their names in a configuration."""

__all__ = ["OPTIMIZERS", "SCHEDULES", "SGD", "Adam", "Schedule", "clip_by_norm", "global_norm"]
