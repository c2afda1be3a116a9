import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def test_the_configuration_reference_is_current() -> None:
    script = PROJECT / "scripts" / "document_configuration.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True)


def test_the_configurations_that_come_with_the_project_are_valid() -> None:
    from rnnlm.config import Config

    files = sorted(PROJECT.glob("configs/**/*.yaml"))
    assert files
    for file in files:
        Config.load(file)
