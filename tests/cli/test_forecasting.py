import json
from pathlib import Path

import pytest
import yaml

from rnnlm.resources import SAMPLE_SERIES
from tests.conftest import monthly_rows, write_series

from .conftest import Command, write_config


def test_the_installed_series(rnnlm: Command):
    outcome = rnnlm("preprocess", "--format", "series", "--valid-rows", 0, "--test-rows", 44, "--json")
    assert outcome.json["splits"] == {"train": {"points": 100}, "valid": {"points": 0}, "test": {"points": 44}}
    assert (outcome.json["target"], outcome.json["season"], outcome.json["points"]) == ("Count", 12, 144)
    assert Path("data", SAMPLE_SERIES.stem, "dataset.yaml").exists()


def test_from_numbers_to_a_forecast(rnnlm: Command):
    write_series(Path("sales.csv"), monthly_rows(60, 0))
    outcome = rnnlm("preprocess", "sales.csv", "--format", "series", "--target-column", "sold")
    assert outcome.stdout == "data/sales: 60 rows of sold (train 54, valid 3, test 3)\n"
    write_config(
        "c.yaml",
        task={"name": "forecast", "log": True, "differences": [12]},
        data={"path": "data/sales"},
        model={"cell": "lstm", "hidden_size": 4, "bias": True},
        training={"epochs": 4, "bptt_steps": 20},
        optimizer={"name": "adam", "learning_rate": 0.01},
    )
    summary = rnnlm("train", "--config", "c.yaml", "--json").json
    assert {"valid_rmse", "valid_mae", "valid_mase"} <= summary["best"].keys()
    trained = rnnlm("train", "--config", "c.yaml", "--out", "again")
    assert trained.stdout.startswith("best validation RMSE ")
    evaluated = rnnlm("evaluate", "--model", "runs/c", "--json").json
    assert {"rmse", "mae", "points", "mase", "baselines"} <= evaluated.keys()
    assert evaluated["points"] == 3
    table = rnnlm("evaluate", "--model", "runs/c").stdout
    assert [line[:12].strip() for line in table.splitlines()[:4]] == ["", "model", "last value", "last season"]
    forecast = rnnlm("predict", "--model", "runs/c", "--steps", 5, "--jsonl").json
    assert len(forecast["values"]) == len(forecast["dates"]) == 5
    assert forecast["dates"][0] == "2005-01"
    assert forecast["intervals"].keys() == {"80", "95"}
    lines = rnnlm("predict", "--model", "runs/c", "--steps", 5).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == forecast["dates"]
    assert len(rnnlm("predict", "--model", "runs/c").stdout.splitlines()) == 12  # a season


def test_another_file_is_continued(rnnlm: Command, series_run: Path):
    rows = [(month, number, "7") for month, number in monthly_rows(50, 1)]
    write_series(Path("other.csv"), rows, "month,sold,unused")
    forecast = rnnlm("predict", "other.csv", "--model", series_run, "--steps", 2, "--jsonl").json
    assert forecast["dates"] == ["2004-03", "2004-04"]
    piped = rnnlm(
        "predict", "-", "--model", series_run, "--steps", 2, "--jsonl", stdin=Path("other.csv").read_text()
    )
    assert piped.json == forecast
    write_series(Path("wrong.csv"), monthly_rows(50, 1), "month,bought")
    outcome = rnnlm("predict", "wrong.csv", "--model", series_run)
    assert outcome.exit_code == 1
    assert "wrong.csv: there is no column 'sold' of numbers, only 'bought'." in outcome.stderr


def test_rows_to_come_have_no_target(rnnlm: Command):
    rows = [(month, k % 7, round(3.5 + ((k - 1) % 7), 1)) for k, (month, _) in enumerate(monthly_rows(60, 0))]
    write_series(Path("s.csv"), rows, "month,price,sold")
    write_config(
        "c.yaml",
        task={"name": "forecast", "fit": "least_squares"},
        data={"path": "data/s"},
        model={"cell": "time_delay", "nonlinearity": "linear", "hidden_size": 1, "bias": True},
        training={"epochs": 1},
    )
    rnnlm("preprocess", "s.csv", "--format", "series", "--target-column", "sold")
    rnnlm("train", "--config", "c.yaml")
    coming = [("2005-01", 6, ""), ("2005-02", 1, ""), ("2005-03", 0, "")]
    write_series(Path("more.csv"), [*rows, *coming], "month,price,sold")
    forecast = rnnlm("predict", "more.csv", "--model", "runs/c", "--jsonl").json
    assert forecast["dates"] == ["2005-01", "2005-02", "2005-03"]
    assert forecast["values"] == pytest.approx([3.5 + 59 % 7, 9.5, 4.5], abs=1e-3)
    assert len(rnnlm("predict", "--model", "runs/c").stdout.splitlines()) == 1
    outcome = rnnlm("predict", "more.csv", "--model", "runs/c", "--steps", 9)
    assert outcome.exit_code == 1
    assert "--steps 9: the model reads price, known for 4 steps; give rows to come" in outcome.stderr
    write_series(Path("gap.csv"), [*rows, coming[0], ("2005-02", 1, 3)], "month,price,sold")
    outcome = rnnlm("predict", "gap.csv", "--model", "runs/c")
    assert "gap.csv, line 62: the cell of column 'sold' is empty; " in outcome.stderr


def test_what_it_is(rnnlm: Command, series_run: Path, series_dataset: Path):
    described = rnnlm("info", series_dataset, "--json").json
    assert (described["target"], described["points"], described["last"]) == ("sold", 120, "2009-12")
    described = rnnlm("info", series_run, "--json").json
    assert (described["task"], described["series"]["target"]) == ("forecast", "sold")
    assert described["best_valid_rmse"] > 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["preprocess", "s.csv", "--format", "series", "--lowercase"], 2, "--lowercase is for text"),
        (["preprocess", "s.csv", "--format", "series", "--vocab-size", "9"], 2, "--vocab-size is for text"),
        (["preprocess", "s.csv", "--format", "series", "--text-column", "a"], 2, "--text-column is for text"),
        (["preprocess", "s.csv", "--season", "4"], 2, "--season is for a series, but text is read"),
        (["preprocess", "s.csv", "t.csv", "--format", "series"], 2, "A series is one file; give one INPUT."),
        (["preprocess", "none.csv", "--format", "series"], 1, "none.csv: the file cannot be opened"),
        (["predict", "--model", "RUN", "--text", "a"], 2, "--text is for models of text"),
        (["evaluate", "--model", "RUN", "--text", "s.csv"], 2, "--text is for models of text"),
        (["evaluate", "--model", "RUN", "--dynamic", "1"], 2, "--dynamic is for language models"),
        (["generate", "--model", "RUN"], 1, "its task is forecast, so it is not a language model"),
        (["neighbors", "a", "--model", "RUN"], 1, "A forecaster reads numbers and knows no words"),
        (["export", "--model", "RUN", "-o", "m.onnx"], 1, "A forecaster has no ONNX file yet"),
        (["score", "s.csv", "--format", "series"], 2, "'series' is not one of"),
    ],
)
def test_what_is_refused(rnnlm: Command, series_run: Path, arguments: list[str], exit_code: int, message: str):
    Path("s.csv").write_text("a\n1\n2\n3\n")
    outcome = rnnlm(*(series_run if argument == "RUN" else argument for argument in arguments))
    assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_steps_are_for_forecasters(rnnlm: Command, label_run: Path):
    outcome = rnnlm("predict", "--model", label_run, "--text", "a", "--steps", 3)
    assert outcome.exit_code == 2
    assert "--steps is for a forecaster, and this is a classifier" in outcome.stderr


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"model": {"embedding_size": 4}}, "model.embedding_size: is not for a network that reads numbers"),
        ({"training": {"bptt_truncate": 4}}, "training.bptt_truncate: forecast learns from whole windows"),
        ({"task": {"name": "forecast", "fit": "least_squares"}}, "whose model.cell is time_delay, not rnn"),
        ({"task": {"name": "forecast", "differences": [0]}}, "task.differences: must be lags of 1 or more"),
        ({"task": {"name": "tag", "log": True}}, "log is for forecast only, not for tag"),
    ],
)
def test_configurations_that_do_not_fit(rnnlm: Command, section: dict[str, object], message: str):
    Path("c.yaml").write_text(yaml.safe_dump({"task": {"name": "forecast"}, **section}))
    outcome = rnnlm("train", "--config", "c.yaml")
    assert outcome.exit_code == 1
    assert message in outcome.stderr


@pytest.mark.parametrize("name", ["ar", "narx", "tdnn", "rnn", "lstm"])
def test_the_configurations_of_airline_passengers(rnnlm: Command, name: str):
    rnnlm("preprocess", "--format", "series", "--valid-rows", 0, "--test-rows", 44)
    config = Path(__file__).parent.parent.parent / "configs" / f"airline-{name}.yaml"
    outcome = rnnlm("train", "--config", config, "--json")
    assert outcome.exit_code == 0
    evaluated = json.loads(rnnlm("evaluate", "--model", f"runs/airline-{name}", "--json").stdout)
    assert evaluated["rmse"] < 20
