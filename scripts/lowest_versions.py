"""Print ``name==version`` for the lowest version of every package that pyproject.toml allows, for pip.

Usage: python scripts/lowest_versions.py > constraints.txt
"""

import sys
from pathlib import Path

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def lowest(line: str) -> str | None:
    """Return a requirement with its lower bound alone; None for one without a lower bound."""
    requirement = Requirement(line)
    bounds = [one.version for one in requirement.specifier if one.operator in (">=", "==", "~=")]
    if not bounds:
        return None
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}=={bounds[0]}{marker}"


def constraints() -> list[str]:
    """Return the lowest versions of what the package and all its extras need."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [found for line in sum(extras, project["dependencies"]) if (found := lowest(line))]


if __name__ == "__main__":
    print(*constraints(), sep="\n")
