"""What pyproject.toml says of other packages, and on which Pythons the tests run."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parent.parent
FOR_DEVELOPERS = {"checks", "dev"}


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in metadata("rnnlm-numpy").get_all("Requires-Dist") or []]


def test_all_is_every_extra_that_is_not_for_developers() -> None:
    everything = [each for each in requirements() if each.name == "rnnlm-numpy"]
    assert {*metadata("rnnlm-numpy").get_all("Provides-Extra")} == {"all", *everything[0].extras, *FOR_DEVELOPERS}


def test_the_lowest_version_of_every_package_is_tested() -> None:
    script = PROJECT / "scripts" / "lowest_versions.py"
    printed = subprocess.check_output([sys.executable, str(script)], text=True)
    tested = dict(re.findall(r"^([\w.-]+)==([\d.]+)", printed, re.MULTILINE))
    for requirement in requirements():
        bounds = [one.version for one in requirement.specifier if one.operator == ">="]
        if requirement.name != "rnnlm-numpy" and not requirement.name.startswith("types-"):
            assert bounds == [tested[requirement.name]], requirement


def test_the_compiled_passes_are_those_of_the_sources() -> None:
    folder = PROJECT / "rnnlm" / "nn" / "kernels"
    built = [path for suffix in EXTENSION_SUFFIXES if (path := folder / f"_passes{suffix}").exists()]
    sources = {*folder.glob("*.pyx"), *folder.glob("*.[ch]")} - {folder / "_passes.c"}
    # A build that fails leaves what was built before.
    for path in built:
        assert [each.name for each in sources if each.stat().st_mtime > path.stat().st_mtime] == [], (
            "run make setup"
        )


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="nothing is compiled there")
@pytest.mark.parametrize("works", [True, False], ids=["a compiler", "no compiler"])
def test_a_wheel_is_built_with_a_compiler_and_without(tmp_path: Path, works: bool) -> None:
    pytest.importorskip("Cython", reason="needs what the package is built with")
    if works and shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    source = tmp_path / "source"
    shutil.copytree(PROJECT / "rnnlm", source / "rnnlm", ignore=shutil.ignore_patterns("_passes*.so", "_passes.c"))
    for name in ("LICENSE", "README.md", "pyproject.toml", "setup.py"):
        shutil.copy(PROJECT / name, source)
    environment = dict(os.environ) if works else os.environ | {"CC": "false", "CXX": "false"}
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path]
    subprocess.run([*command, source], env=environment, check=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "rnnlm/nn/kernels/layers.py" in names
    assert any(name.startswith("rnnlm/nn/kernels/_passes.cpython") for name in names) == works


@pytest.mark.skipif(os.name == "nt", reason="needs programs that are scripts")
def test_one_python_of_each_version_is_found(tmp_path: Path) -> None:
    own = f"3.{sys.version_info.minor}"
    works, fails = "#!/bin/sh\n", "#!/bin/sh\nexit 127\n"
    commands = {
        "path/python3.28": works,
        "path/python3.29": fails,  # as pyenv's commands for Pythons that are not chosen
        f"path/python{own}": works,
        "pyenv/versions/3.28.1/bin/python": works,
        "pyenv/versions/3.29.1/bin/python": works,
        "pyenv/versions/3.9.1/bin/python": works,
    }
    for name, script in commands.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    command = [sys.executable, str(PROJECT / "scripts" / "pythons.py")]
    environment = {**os.environ, "PATH": str(tmp_path / "path"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    others = [str(tmp_path / "path/python3.28"), str(tmp_path / "pyenv/versions/3.29.1/bin/python")]
    for options, expected in ([], [sys.executable, *others]), (["--others"], others):
        printed = subprocess.check_output([*command, *options], env=environment, text=True)
        assert printed.splitlines() == expected
