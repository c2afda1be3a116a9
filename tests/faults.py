"""A disk that fails: every call that writes is counted, and any of them can be made to fail or to be the last."""

import builtins
import errno
import io
import os
import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)
CALLS = ("mkdir", "rename", "replace", "truncate", "unlink", "rmdir")


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


class Faults:
    """Stands between the program and the disk.

    Attributes
    ----------
    calls
        Name and path of every call so far that writes, makes, syncs, renames or removes.
    fails_from
        Number of the first call that fails, as all do that follow; None for none.
    error
        Number of the error; None to be killed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, Path]] = []
        self.fails_from: int | None = None
        self.error: int | None = None
        self._paths: dict[int, Path] = {}
        self._open = builtins.open
        self._os_open = os.open
        # Python 3.10 keeps the functions that paths call in a class.
        accessor = getattr(pathlib, "_NormalAccessor", None)
        for owner in filter(None, (builtins, io, accessor)):
            monkeypatch.setattr(owner, "open", staticmethod(self._open_file))
        monkeypatch.setattr(os, "open", self._open_descriptor)
        # The disk of the tests need not be waited for.
        monkeypatch.setattr(os, "fsync", lambda descriptor: self.happen("fsync", self._paths.get(descriptor, "?")))
        for name in CALLS:
            counted = self._counted(name, getattr(os, name))
            for owner in (os, accessor):
                if hasattr(owner, name):
                    monkeypatch.setattr(owner, name, staticmethod(counted))

    def arm(self, fails_from: int | None, error: int | None = None) -> None:
        """Begin to count anew."""
        self.calls.clear()
        self.fails_from, self.error = fails_from, error

    @property
    def fired(self) -> bool:
        return self.fails_from is not None and len(self.calls) > self.fails_from

    def happen(self, name: str, path: Any) -> None:
        """Count a call, and fail if it is its turn."""
        self.calls.append((name, Path(path)))
        if self.fired:
            if self.error is None:
                raise Killed
            raise OSError(self.error, os.strerror(self.error), str(path))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *arguments: Any, **options: Any) -> Any:
            self.happen(name, path)
            return call(path, *arguments, **options)

        return counted

    def _open_descriptor(self, path: Any, *arguments: Any, **options: Any) -> int:
        descriptor = self._os_open(path, *arguments, **options)
        self._paths[descriptor] = Path(path)
        return descriptor

    def _open_file(self, file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if set(mode).isdisjoint("wax+"):
            return self._open(file, mode, *arguments, **options)
        self.happen("open", file)
        return _File(self, self._open(file, mode, *arguments, **options))


class _File:
    """A file opened for writing, of which a write that fails writes half."""

    def __init__(self, faults: Faults, file: Any) -> None:
        self._faults = faults
        self._file = file

    def write(self, data: Any) -> int:
        try:
            self._faults.happen("write", self._file.name)
        except BaseException:
            self._file.write(data[: len(data) // 2])
            raise
        written: int = self._file.write(data)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()
