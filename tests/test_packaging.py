"""What pyproject.toml says of other packages."""

import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parent.parent
FOR_DEVELOPERS = {"checks", "dev"}


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in metadata("rnnlm").get_all("Requires-Dist") or []]


def test_all_is_every_extra_that_is_not_for_developers() -> None:
    everything = [each for each in requirements() if each.name == "rnnlm"]
    assert {*metadata("rnnlm").get_all("Provides-Extra")} == {"all", *everything[0].extras, *FOR_DEVELOPERS}


def test_the_lowest_version_of_every_package_is_tested() -> None:
    script = PROJECT / "scripts" / "lowest_versions.py"
    printed = subprocess.check_output([sys.executable, str(script)], text=True)
    tested = dict(re.findall(r"^([\w-]+)==([\d.]+)", printed, re.MULTILINE))
    for requirement in requirements():
        bounds = [one.version for one in requirement.specifier if one.operator == ">="]
        if requirement.name != "rnnlm" and not requirement.name.startswith("types-"):
            assert bounds == [tested[requirement.name]], requirement
