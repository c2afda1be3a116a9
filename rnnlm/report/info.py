"""What a dataset, a run or a checkpoint is, in short."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnlm.dataset.series import SeriesDataset, is_series
from rnnlm.dataset.store import METADATA_FILE, SPLITS, Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.perplexity import perplexity
from rnnlm.models.kinds import restore
from rnnlm.models.model import TextModel
from rnnlm.storage.checkpoint import MANIFEST, Checkpoint, load_checkpoint
from rnnlm.storage.finding import refuse_checkpoints_folder
from rnnlm.storage.run_directory import CHECKPOINTS, RunDirectory
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.progress import Progress


def describe(path: str | Path) -> dict[str, Any]:
    """Describe a dataset, a run (its last checkpoint) or a checkpoint, after checking all of its files.

    Returns
    -------
    dict
        Plain data, with its ``kind``: ``dataset``, ``run`` or ``checkpoint``.

    Raises
    ------
    RnnlmError
        If there is none at the path, or a file is damaged.
    """
    path = Path(path)
    if (path / METADATA_FILE).exists():
        return _dataset(path)
    if (path / MANIFEST).exists():
        return {"kind": "checkpoint", "path": str(path), **_checkpoint(load_checkpoint(path))}
    if (path / CHECKPOINTS).is_dir():
        return _run(path)
    if not path.exists():
        raise RnnlmError(f"{path}: no such directory; name a dataset, a run or a checkpoint.")
    refuse_checkpoints_folder(path)
    raise RnnlmError(f"{path}: neither a dataset nor a run nor a checkpoint directory.")


def _dataset(path: Path) -> dict[str, Any]:
    if is_series(path):
        return _series(path)
    dataset = Dataset.open(path)
    vocabulary = dataset.vocabulary
    return {
        "kind": "dataset",
        "path": str(path),
        "files": "all checksums agree",
        "level": vocabulary.settings.level,
        "tokenizer": vocabulary.settings.tokenizer,
        "lowercase": vocabulary.settings.lowercase,
        "sentences": vocabulary.settings.sentences,
        "clean": vocabulary.settings.clean,
        "join": vocabulary.settings.join,
        "keep_lines": vocabulary.settings.keep_lines,
        "documents": dataset.metadata["documents"],
        **_words(vocabulary, dataset.metadata),
        **_labels(vocabulary),
        **({"tags": dict(zip(dataset.tags.names, dataset.tags.counts, strict=True))} if dataset.tags else {}),
        "splits": {name: _part(dataset.split(name)) for name in SPLITS},
        **_sources(dataset),
    }


def _sources(dataset: Dataset) -> dict[str, Any]:
    """Describe the sources of pairs, where there are pairs."""
    if dataset.source_vocabulary is None:
        return {}
    words = _words(dataset.source_vocabulary, dataset.metadata["source"])
    sources = {name: source for name in SPLITS if (source := dataset.split(name).source) is not None}
    return {"source": {**words, "splits": {name: _part(source) for name, source in sources.items()}}}


def _words(vocabulary: Vocabulary, numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "vocabulary_size": len(vocabulary),
        "unique_tokens": numbers["unique_tokens"],
        "most_frequent": vocabulary.tokens[vocabulary.first_word_id : vocabulary.first_label_id][:10],
    }


def _part(split: Split) -> dict[str, int]:
    return {
        "sentences": split.num_sentences,
        "tokens": split.num_tokens,
        "unknown_tokens": split.unknown_tokens,
    }


def _series(path: Path) -> dict[str, Any]:
    dataset = SeriesDataset.open(path)
    info, rows = dataset.series.info, len(dataset.series.values)
    return {
        "kind": "dataset",
        "path": str(path),
        "files": "all checksums agree",
        "target": info.target,
        "inputs": list(info.inputs),
        "season": info.season,
        "points": rows,
        "first": info.when(0) if rows else None,
        "last": info.when(rows - 1) if rows else None,
        "splits": {name: {"points": dataset.split(name).num_tokens} for name in SPLITS},
    }


def _run(path: Path) -> dict[str, Any]:
    run = RunDirectory(path)
    last, best = run.checkpoints.load("last"), run.checkpoints.find("best")
    return {
        "kind": "run",
        "path": str(path),
        "last_checkpoint": str(last.directory),
        "best_checkpoint": str(best),
        **_checkpoint(last),
    }


def _checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    progress, model = Progress.of(checkpoint), restore(checkpoint)
    weights = model.network.parameters
    return {
        "files": "all checksums agree",
        "task": model.task,
        "step": progress.step,
        "epoch": progress.epoch,
        "backend": checkpoint.state.get("backend"),
        **({"ranks": checkpoint.state["ranks"]} if "ranks" in checkpoint.state else {}),
        "training_seconds": round(progress.seconds, 3),
        "best_step": progress.best_step,
        "best_valid_loss": progress.best_loss,
        "best_valid_perplexity": None if progress.best_loss is None else perplexity(progress.best_loss),
        **{f"best_valid_{name}": value for name, value in progress.best_measures.items()},
        "last_valid_loss": progress.last_loss,
        "last_valid_perplexity": None if progress.last_loss is None else perplexity(progress.last_loss),
        **{f"last_valid_{name}": value for name, value in progress.last_measures.items()},
        **(_read_by_text_model(model) if isinstance(model, TextModel) else {"series": model.info.to_dict()}),
        "weights": sum(value.size for value in weights.values()),
        "config": checkpoint.config.values(),
        "tensors": {name: list(value.shape) for name, value in sorted(weights.items())},
    }


def _read_by_text_model(model: TextModel) -> dict[str, Any]:
    """Return how many tokens and answers a model knows."""
    answers = {"classify": "num_labels", "tag": "num_tags"}
    source = model.source_vocabulary
    return {
        "vocabulary_size": len(model.vocabulary),
        **({} if source is None else {"source_vocabulary_size": len(source)}),
        **({answers[model.task]: len(model.answers)} if model.task in answers else {}),
        **_labels(model.vocabulary),
    }


def _labels(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the labels with their sentences in the training text, where there are labels."""
    return {"labels": vocabulary.label_counts} if vocabulary.labels else {}
