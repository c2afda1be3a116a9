"""Print where a Python of every minor version from 3.10 on is, the oldest first: this one, on PATH, in pyenv.

Usage: python scripts/pythons.py [--others]    the others than this one
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = 10, 30
"""Minor versions that are looked for."""


def works(python: str) -> bool:
    """Return whether it can be run: pyenv has commands on PATH that only say that they cannot."""
    return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0


def pythons() -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for minor in range(OLDEST, NEWEST):
        name = f"python3.{minor}"
        own = [sys.executable] if sys.version_info[:2] == (3, minor) else []
        candidates = [*own, shutil.which(name), *map(str, sorted(pyenv.glob(f"3.{minor}.*/bin/python")))]
        found += [python for python in candidates if python and works(python)][:1]
    return found


if __name__ == "__main__":
    for python in pythons():
        if "--others" not in sys.argv or python != sys.executable:
            print(python)
