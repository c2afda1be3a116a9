from pathlib import Path

import pytest

import rnnlm as package
from rnnlm.checks.diagnosis import diagnose
from rnnlm.dataset.store import Dataset

from .conftest import Command


def test_json_has_the_norms_of_every_layer(rnnlm: Command, char_run: Path, char_dataset: Path):
    outcome = rnnlm("diagnose", "--model", char_run, "--distance", 5, "--json", "--quiet")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    result = outcome.json
    assert set(result) == {"distances", "layers"}
    assert result["distances"] == [0, 1, 2, 3, 4, 5]
    expected = diagnose(package.load(char_run).network, Dataset.open(char_dataset).valid, 5)
    assert result["layers"] == [
        {
            "model": str(char_run),
            "layer": k + 1,
            "windows": expected.windows,
            "gradient_norms": expected.norms[k].tolist(),
            "relative": expected.relative[k].tolist(),
        }
        for k in range(2)
    ]


def test_the_table_sets_the_layers_of_several_models_side_by_side(rnnlm: Command, char_run: Path):
    checkpoint = next((char_run / "checkpoints").glob("step-*"))
    arguments = ["diagnose", "--model", char_run, "--model", checkpoint, "--distance", 4]
    layers = rnnlm(*arguments, "--json").json["layers"]
    assert [(layer["model"], layer["layer"]) for layer in layers] == [
        (str(path), k) for path in (char_run, checkpoint) for k in (1, 2)
    ]
    lines = rnnlm(*arguments).stdout.splitlines()
    assert lines[0].split("   ") == [
        "distance",
        *(f"{path}, layer {k}" for path in (char_run, checkpoint) for k in (1, 2)),
    ]
    assert lines[1].split() == ["norm", "relative"] * 4
    for d, line in enumerate(lines[2:]):
        numbers = [f"{layer[key][d]:.2e}" for layer in layers for key in ("gradient_norms", "relative")]
        assert line.split() == [str(d), *numbers]
    assert d == 4
    assert len({len(line) for line in lines}) == 1


def test_the_text_is_the_one_asked_for(rnnlm: Command, word_run: Path, word_dataset: Path, sentences: list[str]):
    arguments = ["diagnose", "--model", word_run, "--distance", 3, "--json"]
    default = rnnlm(*arguments)
    assert default.stderr == f"Dataset: {word_dataset}, valid split\n"
    assert rnnlm(*arguments, "--data", word_dataset, "--split", "valid").json == default.json
    assert rnnlm(*arguments, "--split", "train").json != default.json
    Path("text.txt").write_text("\n".join(sentences[:20]))
    assert rnnlm(*arguments, "--text", "text.txt").json["layers"][0]["windows"] >= 20


def test_a_plot_is_drawn_beside_the_table(rnnlm: Command, word_run: Path):
    pytest.importorskip("matplotlib")
    outcome = rnnlm("diagnose", "--model", word_run, "--distance", 3, "--plot", "a.png")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("distance ")
    assert outcome.stderr.endswith("Plot: a.png\n")
    assert Path("a.png").stat().st_size > 1000
    missing = rnnlm("diagnose", "--model", word_run, "--distance", 3, "--plot", "nowhere/a.png", "--quiet")
    assert (missing.exit_code, missing.stderr) == (
        1,
        "rnnlm: nowhere/a.png: the picture cannot be written (No such file or directory); choose another place.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--data", "none"], 1, "rnnlm: none: no such directory"),
        (["--text", "none.txt"], 1, "rnnlm: none.txt: "),
        (["--distance", "5000"], 1, "rnnlm: The text has "),
        (["--distance", "0"], 2, "Error: Invalid value for '--distance'"),
        (["--data", "a", "--text", "b"], 2, "Error: Give --data or --text, not both."),
        (["--split", "test", "--text", "b"], 2, "Error: --split is for a dataset; leave it out with --text."),
    ],
)
def test_what_is_wrong_is_said(rnnlm: Command, word_run: Path, arguments: list[str], exit_code: int, message: str):
    outcome = rnnlm("diagnose", "--model", word_run, "--quiet", *arguments)
    assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
    assert outcome.stderr.splitlines()[-1].startswith(message)


def test_another_vocabulary_is_refused(rnnlm: Command, word_run: Path, char_dataset: Path):
    outcome = rnnlm("diagnose", "--model", word_run, "--data", char_dataset, "--quiet")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith(f"rnnlm: {char_dataset}: its vocabulary is not the model's; ")
