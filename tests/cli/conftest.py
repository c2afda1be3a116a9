"""Running ``rnnlm`` as a user would, in this process."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import yaml

from rnnlm.cli.main import main


class Outcome(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The only thing on stdout."""
        value = json.loads(self.stdout)
        assert isinstance(value, dict)
        return value


Command: TypeAlias = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what the commands write by default out of the checkout."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rnnlm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs the command line with some arguments, and `stdin` on standard input."""

    def run(*arguments: object, stdin: str | bytes | None = None) -> Outcome:
        if stdin is not None:
            content = stdin.encode() if isinstance(stdin, str) else stdin
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        capsys.readouterr()
        exit_code: Any = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as left:
            exit_code = left.code
        return Outcome(exit_code, *capsys.readouterr())

    return run


def write_config(path: str, **sections: dict[str, Any]) -> str:
    """Write a configuration file and return its name."""
    Path(path).write_text(yaml.safe_dump(sections))
    return path
