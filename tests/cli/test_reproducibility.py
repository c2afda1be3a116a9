"""The same seed gives the same bytes in every process."""

import os
import subprocess
import sys
from pathlib import Path

from rnnlm.storage.run_directory import RunDirectory

COMMANDS = """
from rnnlm.cli.main import main

main(["preprocess", "text.txt", "--out", "data", "--sentences", "--quiet"])
settings = ["model.hidden_size=6", "training.max_steps=8", "training.batch_size=4", "model.dropout=0.3"]
settings += ["model.embedding_size=6", "model.softmax_samples=8", "optimizer.name=adam", "data.path=data"]
options = [f"--set={setting}" for setting in settings]
main(["train", "--config", "empty.yaml", "--out", "run", "--quiet", *options])
main(["generate", "--model", "run", "--seed", "5", "--seed-text", "the cat", "--json"])
"""


def test_the_hash_seed_changes_no_byte(tmp_path: Path, sentences: list[str]):
    outcomes = []
    for hash_seed in ("1", "2"):
        directory = tmp_path / hash_seed
        directory.mkdir()
        (directory / "text.txt").write_text("\n".join(sentences))
        (directory / "empty.yaml").write_text("")
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        process = subprocess.run(
            [sys.executable, "-c", COMMANDS], cwd=directory, env=environment, stdout=subprocess.PIPE, check=True
        )
        last = RunDirectory(directory / "run").checkpoints.find("last")
        files = [*(directory / "data").iterdir(), *last.glob("*.safetensors"), last / "vocabulary.json"]
        files += [last / "config.yaml", directory / "run" / "samples.jsonl"]
        outcomes.append((process.stdout, {file.name: file.read_bytes() for file in files}))
    assert len(outcomes[0][1]) > 10
    assert outcomes[0] == outcomes[1]
