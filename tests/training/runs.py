"""Runs that are stopped, and what they leave on the disk."""

import json
import signal
from pathlib import Path
from typing import Any

import rnnlm
from rnnlm.models.classifier import Classifier
from rnnlm.models.forecaster import Forecaster
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.tagger import Tagger
from rnnlm.storage.checkpoint import MODEL, STATE_TENSORS
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.training.loop import Trainer

TEXTS = ["there is a very old oak", "a cat", "flint", "an unknown one"]
"""What models that answer are asked."""


def run_and_stop(trainer: Trainer, stop_after: int) -> None:
    """Train until a signal comes after a step."""

    def stop() -> None:
        if trainer.progress.step == stop_after:
            signal.raise_signal(signal.SIGTERM)

    trainer.after_step = stop
    trainer.run()
    assert trainer.signals.received == signal.SIGTERM
    assert trainer.progress.step == stop_after


def contents(path: Path) -> dict[str, Any]:
    """Return all that a run left but the times it took."""
    run, model = RunDirectory(path), rnnlm.load(path)
    metrics = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return {
        "files": sorted(str(file.relative_to(path)) for file in path.rglob("*")),
        "metrics": [{k: v for k, v in m.items() if k not in ("seconds", "tokens_per_second")} for m in metrics],
        "samples": (path / "samples.jsonl").read_bytes(),
        "said": _said(model),
        **{
            f"{which}/{name}": (run.checkpoints.find(which) / name).read_bytes()
            for which in ("best", "last")
            for name in (MODEL, STATE_TENSORS)
        },
    }


def _said(model: LanguageModel | Classifier | Tagger | Forecaster) -> object:
    if isinstance(model, LanguageModel):
        return model.generate(seed=1)
    if isinstance(model, Forecaster):
        assert model.config.data.path is not None
        return model.predict(model.open(model.config.data.path), 3)
    return [*model.predict(TEXTS)]
