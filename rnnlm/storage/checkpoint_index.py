"""Which of a run's checkpoints is the best, and which the last."""

import json
import re
import shutil
from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.files import read_text, sha256, write_atomically
from rnnlm.storage.checkpoint import MANIFEST, Checkpoint, load_checkpoint, save_checkpoint
from rnnlm.storage.logs import writing

INDEX = "index.json"
FIRST_CHECKPOINT = "step-00000000"
_NAME = re.compile(r"step-\d{8,}a*")


class CheckpointIndex:
    """The checkpoints of a run: the best by validation loss, and the last.

    ``index.json`` beside them says which is which, with the SHA-256 of their manifests.

    Parameters
    ----------
    directory
        Where they are; it need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def exists(self) -> bool:
        """Whether there is a checkpoint."""
        return (self.directory / INDEX).is_file()

    def find(self, which: str) -> Path:
        """Return the directory of the checkpoint that is the "best" or the "last"; refuse a damaged index."""
        index = self._read()
        directory = self.directory / index[which]
        # Indexes of early versions have no checksums.
        expected = index.get(f"{which}_sha256")
        try:
            is_meant = sha256(directory / MANIFEST) == expected or expected is None
        except OSError:
            is_meant = False
        if not is_meant and index != self._read():  # the run went on meanwhile
            return self.find(which)
        if not is_meant:
            raise RnnlmError(
                f"{directory}: not the {which} checkpoint that {INDEX} beside it means; put that back, or name a "
                "checkpoint instead of the run."
            )
        return directory

    def load(self, which: str) -> Checkpoint:
        """Read the checkpoint that is the "best" or the "last", also while the run replaces it."""
        directory = self.find(which)
        try:
            return load_checkpoint(directory)
        except RnnlmError:
            if self.find(which) == directory:
                raise
        return self.load(which)

    def save(self, step: int, checkpoint: Checkpoint, is_best: bool) -> Path:
        """Write a checkpoint, then the index, and only then remove what neither best nor last needs.

        Parameters
        ----------
        step
            Training step, which gives the checkpoint its name.
        checkpoint
            What to write.
        is_best
            Whether it becomes the best; the first one is in any case.

        Returns
        -------
        Path
            The directory of the checkpoint.
        """
        last = self.directory / f"step-{step:08d}"
        with writing(self.directory):
            while last.exists():
                last = last.with_name(f"{last.name}a")
            save_checkpoint(last, checkpoint)
            index = self._read() if self.exists else {}
            for which in ("best", "last") if is_best or not index else ("last",):
                index[which], index[f"{which}_sha256"] = last.name, sha256(last / MANIFEST)
            write_atomically(self.directory / INDEX, json.dumps(index))
            self.remove_others()
        return last

    def remove_others(self) -> None:
        """Remove the checkpoints, whole or half written, that the index does not name."""
        index = self._read() if self.exists else {}
        named = (index.get("best"), index.get("last"))
        for path in self.directory.iterdir():
            is_ours = _NAME.fullmatch(path.name.removeprefix(".").removesuffix(".partial"))
            if is_ours and path.name not in named and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)

    def refuse_lost_index(self) -> None:
        """Refuse to begin where there are whole checkpoints after the first one, and no index."""
        found = self.directory.iterdir() if self.directory.is_dir() else ()
        names = sorted(path.name for path in found if _NAME.fullmatch(path.name))
        later = [name for name in names if name != FIRST_CHECKPOINT]
        if later and all((self.directory / name / MANIFEST).is_file() for name in later):
            raise RnnlmError(
                f"{self.directory}: no {INDEX}, so the run cannot go on; put that back, or choose another `out` "
                f"and `init_from` one of its checkpoints: {', '.join(later)}."
            )

    def _read(self) -> dict[str, str]:
        """Read the index; the names in it are not paths, so nothing outside the directory is ever read."""
        file = self.directory / INDEX
        if not file.is_file():
            raise RnnlmError(f"{self.directory.parent}: this run has no checkpoint yet.")
        try:
            index: dict[str, str] = json.loads(read_text(file))
            if not all(_NAME.fullmatch(index[which]) for which in ("best", "last")):
                raise ValueError(index)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise RnnlmError(f"{file}: damaged; name one of the checkpoints beside it instead.") from error
        return index
