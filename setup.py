"""The compiled passes over time, which the package runs without; all else is in pyproject.toml."""

import os
from glob import glob

from setuptools import Extension, setup

FOLDER = "rnnlm/nn/kernels"

passes = Extension(
    "rnnlm.nn.kernels._passes",
    [f"{FOLDER}/{name}" for name in ("_passes.pyx", "passes.c", "product.c", "team.c")],
    depends=glob(f"{FOLDER}/*.h"),
    # The instruction sets are chosen in the source, and again when it runs: nothing here is of one machine.
    extra_compile_args=["-O3", "-fno-math-errno", "-ffp-contract=fast", "-pthread"],
    extra_link_args=["-pthread"],
    optional=True,
)

# The vector types of the source are those of GCC and clang.
setup(ext_modules=[] if os.name == "nt" else [passes])
