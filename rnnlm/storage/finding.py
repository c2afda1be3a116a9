"""The run or checkpoint that a person means by a path."""

from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.storage.checkpoint import MANIFEST, Checkpoint, load_checkpoint
from rnnlm.storage.checkpoint_index import INDEX
from rnnlm.storage.run_directory import CHECKPOINTS, RunDirectory


def refuse_checkpoints_folder(path: Path) -> None:
    """Refuse the folder between a run and its checkpoints, and say what is in it."""
    if (path / INDEX).is_file():
        steps = sorted(file.parent.name for file in path.glob(f"*/{MANIFEST}"))
        raise RnnlmError(f"{path}: the checkpoints of a run; name the run, or one of them: {', '.join(steps)}.")


def resolve_checkpoint(path: str | Path) -> Path:
    """Find the checkpoint directory that a user means: a run's best, or the directory itself."""
    path = Path(path)
    if (path / MANIFEST).is_file():
        return path
    if (path / CHECKPOINTS).is_dir():
        return RunDirectory(path).checkpoints.find("best")
    if not path.exists():
        raise RnnlmError(f"{path}: no such directory; name a run or a checkpoint.")
    refuse_checkpoints_folder(path)
    raise RnnlmError(f"{path}: neither a run nor a checkpoint directory.")


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint that a user means, as `resolve_checkpoint` finds it."""
    directory = resolve_checkpoint(path)
    is_run = directory != Path(path)
    return RunDirectory(path).checkpoints.load("best") if is_run else load_checkpoint(directory)


def newest_run(directory: str | Path) -> Path | None:
    """Return the run under `directory` whose checkpoints were written last; None where there is none."""
    indexes = list(Path(directory).glob(f"*/{CHECKPOINTS}/{INDEX}"))
    if not indexes:
        return None
    return max(indexes, key=lambda index: (index.stat().st_mtime_ns, str(index))).parent.parent
