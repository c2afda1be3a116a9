"""Train character- and word-level recurrent language models with NumPy.

>>> import rnnlm
>>> lm = rnnlm.load("runs/reddit")
>>> lm.generate("i think", temperature=0.8, seed=1)
"""

from rnnlm.errors import RnnlmError

TYPE_CHECKING = False  # that of `typing`, whose import takes a while in which Ctrl-C shows a traceback
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from rnnlm.models.language_model import LanguageModel

__all__ = ["LanguageModel", "RnnlmError", "load"]


def load(path: "str | Path") -> "LanguageModel":
    """Load a trained model from a run directory (its best checkpoint) or a checkpoint directory.

    Raises
    ------
    RnnlmError
        If there is none, or it is damaged.
    """
    from rnnlm.models.language_model import LanguageModel

    return LanguageModel.load(path)


def __getattr__(name: str) -> "Any":
    # NumPy and what builds on it are loaded when they are first needed: the command line starts faster.
    if name == "LanguageModel":
        from rnnlm.models.language_model import LanguageModel

        return LanguageModel
    if name == "__version__":
        from importlib.metadata import version

        return version("rnnlm-numpy")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
