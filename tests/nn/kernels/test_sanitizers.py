"""The C of the passes under the sanitizers for addresses, undefined behaviour and threads."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "rnnlm" / "nn" / "kernels"

passes = pytest.importorskip("rnnlm.nn.kernels._passes", reason="the compiled passes are not built")


@pytest.mark.slow
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_nothing_is_read_or_written_past_an_end_or_by_two_threads(tmp_path: Path, sanitizers: str) -> None:
    options = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    empty = tmp_path / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    program = tmp_path / "sanitized"
    for command in ([compiler, *options, empty, "-o", program], [program]):
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("needs a C compiler with sanitizers, and a system that they know")
    sources = [Path(__file__).with_name("sanitized.c"), FOLDER / "passes.c", FOLDER / "team.c"]
    options += ["-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fno-math-errno", "-ffp-contract=fast"]
    subprocess.run([compiler, *options, f"-I{FOLDER}", *sources, "-o", program, "-lm", "-pthread"], check=True)
    ran = subprocess.run(
        [program], capture_output=True, text=True, env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split("\n")[:-1] == passes.instruction_sets()
