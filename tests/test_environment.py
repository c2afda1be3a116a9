"""What the tests themselves are run in: the same surroundings everywhere, and nothing skipped unseen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
OTHER_MACHINE = {
    "HOME": "/elsewhere",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "COLUMNS": "40",
    "NO_COLOR": "1",
    "NLTK_DATA": "/elsewhere",
    "OPENBLAS_L2_SIZE": "512",
    "PYTHONHASHSEED": "1",
    "PYTHONWARNINGS": "error",
}


def run_tests(directory: Path, *options: str, **variables: str) -> str:
    """Run tests as these here are run, with some variables set; return what pytest says."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", *options, "-q"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), **variables}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    return done.stdout


SURROUNDINGS = """
import os, pathlib, random, shutil, signal, subprocess, sys, time
import nltk
import numpy
from tests import environment

def test_surroundings():
    others = set(os.environ) - environment.KEPT - set(environment.FIXED)
    assert all(name.startswith(environment.KEPT_PREFIXES) for name in others)
    assert all(os.environ[name] == value for name, value in environment.FIXED.items())
    assert time.localtime(0).tm_hour == 0
    assert shutil.get_terminal_size() == (80, 24)
    assert not pathlib.Path.home().is_dir()
    assert nltk.data.path == []
    assert random.random() == random.Random(0).random()
    assert numpy.random.random() == numpy.random.RandomState(0).random()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    code = "import os, sys; print(sys.flags.utf8_mode, os.environ.get('TZ'), os.environ.get('PYTHONHASHSEED'))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1 UTC None\\n"

def test_that_spoils_them():
    os.environ.update(TZ="Asia/Kathmandu", COLUMNS="40")
    time.tzset()
    nltk.data.path.append("/elsewhere")
    signal.signal(signal.SIGINT, signal.SIG_IGN)

test_surroundings_afterwards = test_surroundings
"""


@pytest.mark.skipif(os.name == "nt", reason="needs time zones that a variable names")
@pytest.mark.parametrize("processes", ["0", "1"])
def test_nothing_of_the_machine_or_of_another_test_reaches_a_test(tmp_path: Path, processes: str):
    (tmp_path / "test_it.py").write_text(SURROUNDINGS)
    said = run_tests(tmp_path, "--randomly-dont-reorganize", "-n", processes, **OTHER_MACHINE)
    assert "\n3 passed" in said, said


SKIPPING = """
import pytest

def test_of_another_system():
    pytest.skip("needs another system")

def test_of_a_package():
    pytest.importorskip("no_such_package")
"""


def test_a_skip_for_a_reason_that_is_not_allowed_is_a_failure(tmp_path: Path):
    (tmp_path / "test_it.py").write_text(SKIPPING)
    (tmp_path / "test_module.py").write_text('import pytest\npytest.importorskip("no_such_module")')
    said = run_tests(tmp_path, "--may-skip", "another system", "--continue-on-collection-errors")
    assert "\n1 failed, 1 skipped, 1 error" in said, said
    assert "and must not be: Skipped: could not import 'no_such_package'" in said
    assert "and must not be: Skipped: could not import 'no_such_module'" in said
