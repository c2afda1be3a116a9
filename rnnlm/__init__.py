"""Train recurrent networks with NumPy: language models, classifiers, taggers, translators, forecasters.

>>> import rnnlm
>>> lm = rnnlm.load("runs/reddit")
>>> lm.generate("i think", temperature=0.8, seed=1)
"""

from rnnlm.errors import RnnlmError

TYPE_CHECKING = False  # that of `typing`, whose import takes a while in which Ctrl-C shows a traceback
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from rnnlm.models.classifier import Classifier
    from rnnlm.models.forecaster import Forecaster
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.models.tagger import Tagger
    from rnnlm.models.translator import Translator

__all__ = ["Classifier", "Forecaster", "LanguageModel", "RnnlmError", "Tagger", "Translator", "load"]


def load(path: "str | Path") -> "LanguageModel | Classifier | Tagger | Translator | Forecaster":
    """Load a trained model from a run directory (its best checkpoint) or a checkpoint directory.

    What it does is the ``task`` of its configuration: ``load(path).generate(…)`` is for a language model,
    ``load(path).predict(texts)`` for those that answer, ``load(path).predict(series, steps=12)`` for a forecaster.

    Raises
    ------
    RnnlmError
        If there is none, or it is damaged.
    """
    from rnnlm.models import kinds

    return kinds.load(path)


def __getattr__(name: str) -> "Any":
    # NumPy and what builds on it are loaded when they are first needed: the command line starts faster.
    if name in ("Classifier", "Forecaster", "LanguageModel", "Tagger", "Translator"):
        from rnnlm.models import kinds

        return getattr(kinds, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("rnnlm-numpy")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
