"""What a run leaves on the disk."""

import json
from pathlib import Path
from typing import Any

import rnnlm
from rnnlm.storage.checkpoint import MODEL, STATE_TENSORS
from rnnlm.storage.run_directory import RunDirectory


def contents(path: Path) -> dict[str, Any]:
    """Return all that a run left but the times it took."""
    run = RunDirectory(path)
    metrics = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return {
        "files": sorted(str(file.relative_to(path)) for file in path.rglob("*")),
        "metrics": [{k: v for k, v in m.items() if k not in ("seconds", "tokens_per_second")} for m in metrics],
        "samples": (path / "samples.jsonl").read_bytes(),
        "text": rnnlm.load(path).generate(seed=1),
        **{
            f"{which}/{name}": (run.checkpoint(which) / name).read_bytes()
            for which in ("best", "last")
            for name in (MODEL, STATE_TENSORS)
        },
    }
