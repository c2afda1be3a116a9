"""The kinds of models, by the task that they learn."""

from pathlib import Path
from typing import TypeAlias

from rnnlm.config import Config
from rnnlm.models.classifier import Classifier
from rnnlm.models.forecaster import Forecaster
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.tagger import Tagger
from rnnlm.models.translator import Translator
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.storage.finding import read_checkpoint

AnyModel: TypeAlias = LanguageModel | Classifier | Tagger | Translator | Forecaster

KINDS: dict[str, type[AnyModel]] = {
    kind.task: kind for kind in (LanguageModel, Classifier, Tagger, Translator, Forecaster)
}
"""By ``task.name``."""


def kind_of(config: Config) -> type[AnyModel]:
    """Return the kind of model that a configuration is for."""
    return KINDS[config.task.name]


def restore(checkpoint: Checkpoint) -> AnyModel:
    """Make the trained model of a checkpoint, of whatever kind it is; see `Model.restore`."""
    return kind_of(checkpoint.config).restore(checkpoint)


def load(path: str | Path) -> AnyModel:
    """Load a run's best checkpoint, or a checkpoint, of whatever kind it is; see `Model.load`."""
    return restore(read_checkpoint(path))
