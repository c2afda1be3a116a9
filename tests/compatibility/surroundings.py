"""What the last bits of a computation depend on, beside the kernel of the BLAS that a checkpoint names."""

import json
import platform
from typing import Any

import numpy as np


def surroundings() -> dict[str, Any]:
    """Return how NumPy was built, which of the processor's extensions it uses, and the library below it."""
    build: dict[str, Any] = np.show_config(mode="dicts")
    return {
        "numpy": np.__version__,
        "blas": build["Build Dependencies"]["blas"],
        "extensions": build["SIMD Extensions"],
        "machine": platform.machine(),
        "libc": list(platform.libc_ver()),
    }


if __name__ == "__main__":
    print(json.dumps(surroundings()))
