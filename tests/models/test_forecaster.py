import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnlm
from rnnlm.checks.gradient_check import check_gradients
from rnnlm.config import Config
from rnnlm.dataset.building.series import SeriesSettings, build_series
from rnnlm.dataset.series import Series, SeriesDataset
from rnnlm.errors import RnnlmError
from rnnlm.models.forecaster import SERIES_FILE, Forecaster
from rnnlm.nn.arrays import Floats
from rnnlm.nn.gradient_check import gradient_check
from rnnlm.resources import SAMPLE_SERIES
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.training.begin import begin_run
from tests.conftest import monthly_rows, write_series

AR: dict[str, Any] = {
    "task": {"name": "forecast", "fit": "least_squares"},
    "model": {"cell": "time_delay", "width": 2, "nonlinearity": "linear", "hidden_size": 1, "bias": True},
    "training": {"epochs": 1, "dtype": "float64"},
}


def dataset_of(directory: Path, numbers: Floats, **settings: int) -> SeriesDataset:
    """Make a dataset of numbers without dates."""
    file = write_series(directory / "s.csv", ((repr(float(n)),) for n in numbers), "x")
    build_series(str(file), directory / "data", settings=SeriesSettings(**settings), overwrite=True)
    return SeriesDataset.open(directory / "data")


def model_of(dataset: SeriesDataset, **sections: dict[str, Any]) -> Forecaster:
    config = {key: {**AR[key], **sections.get(key, {})} for key in AR}
    return Forecaster.create(Config.model_validate(config), dataset)


def ar_process(number: int, seed: int, deviation: float = 1.0) -> Floats:
    """Return numbers of ``y_t = 2 + 0.5 y_{t-1} - 0.3 y_{t-2} + ε_t``."""
    rng, numbers = np.random.default_rng(seed), [2.0, 3.0]
    for _ in range(number - 2):
        numbers.append(2 + 0.5 * numbers[-1] - 0.3 * numbers[-2] + deviation * float(rng.normal()))
    return np.array(numbers)


@pytest.mark.parametrize(("lags", "rmse"), [(12, 20.677), (13, 14.651)])
def test_the_published_errors_of_airline_passengers(tmp_path: Path, lags: int, rmse: float):
    settings = SeriesSettings(valid_rows=0, test_rows=44)
    build_series(str(SAMPLE_SERIES), tmp_path / "data", settings=settings)
    dataset = SeriesDataset.open(tmp_path / "data")
    evaluation = model_of(dataset, model={"width": lags}).evaluate(dataset.test)
    assert round(evaluation.errors.rmse, 3) == rmse
    assert evaluation.points == 44
    baselines = {name: round(errors.rmse, 2) for name, errors in evaluation.baselines.items()}
    assert baselines == {"last_value": 49.41, "last_season": 42.59, "last_value_and_season": 15.83}


def test_an_ar_model_is_the_least_squares_solution(tmp_path: Path):
    numbers = ar_process(60, 0)
    dataset = dataset_of(tmp_path, numbers, valid_rows=0, test_rows=10)
    model = model_of(dataset)
    design = np.column_stack([np.ones(48), numbers[1:49], numbers[0:48]])
    solution = np.linalg.solve(design.T @ design, design.T @ numbers[2:50])
    values, _ = model.reader.fitted(dataset.series)
    expected = np.column_stack([np.ones(59), numbers[1:], numbers[:-1]]) @ solution
    assert values[2:] == pytest.approx(expected)
    assert np.isnan(values[:2]).all()
    # At the minimum the gradient is zero.
    state, total = model.network.initial_state(1), dict.fromkeys(model.network.gradients, 0.0)
    for batch in model.batches(dataset.train).epoch(0):
        _, state = model.network.backpropagate(batch, state)
        total = {name: total[name] + gradient for name, gradient in model.network.gradients.items()}
    for gradient in total.values():
        assert gradient == pytest.approx(np.zeros_like(gradient), abs=1e-9)


def trained(dataset: SeriesDataset, run: Path, **sections: dict[str, Any]) -> Forecaster:
    """Train on a dataset, and return the model."""
    defaults: dict[str, dict[str, Any]] = {
        "task": {"name": "forecast"},
        "data": {"path": str(dataset.path)},
        "training": {"bptt_steps": 100, "evaluate_every": 10**6, "sample_tokens": 0},
        "optimizer": {"name": "adam", "clip_norm": 1.0},
        "schedule": {"name": "linear"},
    }
    values = {key: {**defaults.get(key, {}), **sections.get(key, {})} for key in defaults | sections}
    trainer = begin_run(Config.model_validate(values), run, False, True)
    trainer.run()
    model = trainer.model
    assert isinstance(model, Forecaster)
    return model


def test_gradient_descent_finds_the_least_squares_solution_too(tmp_path: Path):
    dataset = dataset_of(tmp_path, ar_process(60, 0), valid_rows=0, test_rows=10)
    exact = model_of(dataset)
    sections = {
        "model": AR["model"],
        "training": {"epochs": 300, "dtype": "float64", "bptt_steps": 100},
        "optimizer": {"learning_rate": 0.05},
    }
    model = trained(dataset, tmp_path / "run", **sections)
    found, expected = (each.reader.fitted(dataset.series)[0][2:] for each in (model, exact))
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_what_follows_is_told_by_rows_before_the_last(tmp_path: Path, cell: str):
    # After 0 comes 0, 1 or 2, by what was read up to three rows before.
    dataset = dataset_of(tmp_path, np.array(30 * [0.0, 0, 1, 0, 2]), valid_rows=0, test_rows=50)
    model = trained(
        dataset,
        tmp_path / "run",
        model={"cell": cell, "hidden_size": 12, "bias": True},
        training={"epochs": 150, "bptt_steps": 30, "seed": 1},
        optimizer={"learning_rate": 0.02},
    )
    blind = model_of(dataset, model={"width": 1})
    assert model.evaluate(dataset.test).errors.rmse < 0.2 < 0.6 < blind.evaluate(dataset.test).errors.rmse
    assert np.round(model.predict(dataset, steps=10).values).tolist() == 2 * [0, 0, 1, 0, 2]


def test_feeding_back_by_hand(tmp_path: Path):
    numbers = ar_process(60, 0)
    dataset = dataset_of(tmp_path, numbers, valid_rows=0, test_rows=0)
    model = model_of(dataset)
    forecast = model.predict(dataset, steps=5)
    known = numbers.tolist()
    for value in forecast.values:
        assert value == pytest.approx(model.predict(known).values[0])
        known.append(value)
    assert forecast.dates == ["61", "62", "63", "64", "65"]
    assert model.predict(numbers.tolist(), steps=5).to_dict() == forecast.to_dict()
    assert model.predict(dataset, steps=5, seed=1).intervals != forecast.intervals


def test_intervals_hold_what_they_promise(tmp_path: Path):
    dataset = dataset_of(tmp_path, ar_process(1000, 4), valid_rows=0, test_rows=0)
    model, steps = model_of(dataset), 6
    inside, number = {80: np.zeros(steps), 95: np.zeros(steps)}, 400
    for seed in range(number):
        numbers = ar_process(60 + steps, 100 + seed)
        known = Series(dataset.series.info, np.concatenate([dataset.series.values, numbers[:60, None]]))
        forecast = model.predict(known, steps=steps, seed=seed)
        for level, (low, high) in forecast.intervals.items():
            inside[level] += (low <= numbers[60:]) & (numbers[60:] <= high)
    for level, count in inside.items():
        assert count / number * 100 == pytest.approx(np.full(steps, level), abs=6)
    widths = np.diff(np.array(forecast.intervals[95]), axis=0)[0]
    assert widths[2] > widths[0]  # farther off, less is known


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "time_delay"])
def test_gradients_of_all_windows(tmp_path: Path, cell: str):
    dataset = dataset_of(tmp_path, np.exp(0.1 * ar_process(60, 0)), valid_rows=0, test_rows=0)
    config = Config.model_validate(
        {
            "task": {"name": "forecast", "log": True, "differences": [1]},
            "model": {"cell": cell, "hidden_size": 3, "num_layers": 2, "bias": True, "dropout": 0.2}
            | ({"width": 3} if cell == "time_delay" else {}),
            "training": {"bptt_steps": 20, "batch_size": 2, "dtype": "float64"},
        }
    )
    model = Forecaster.create(config, dataset)
    batches = list(model.batches(dataset.train).epoch(0))
    unread = 4 if cell == "time_delay" else 0
    assert sum(batch.num_predictions for batch in batches) == 60 - 2 - 2 * unread
    assert [batch.continues for batch in batches] == [False, True][: len(batches)]
    for batch in batches:
        errors = gradient_check(model.network, batch, model.network.initial_state(2))
        assert max(errors.values()) < 1e-6
    assert max(check_gradients(config).values()) < 1e-6


def test_the_state_is_carried_through_the_training_part_into_the_test(series_run: Path, series_dataset: Path):
    model, dataset = Forecaster.load(series_run), SeriesDataset.open(series_dataset)
    whole, _ = model.reader.fitted(dataset.series)
    known = dataset.test.known.target
    evaluation = model.evaluate(dataset.test)
    assert evaluation.errors.mae == pytest.approx(np.abs(known[-24:] - whole[-25:-1]).mean())
    # Each row is forecast from those before it alone.
    changed = dataset.series.values.copy()
    changed[110:] *= 2
    other, _ = model.reader.fitted(Series(dataset.series.info, changed))
    assert other[:111] == pytest.approx(whole[:111], nan_ok=True)
    assert other[111] != pytest.approx(whole[111])


def test_pytorch_makes_the_same_forecasts_of_the_weights(series_run: Path, series_dataset: Path):
    torch = pytest.importorskip("torch")
    model, dataset = Forecaster.load(series_run), SeriesDataset.open(series_dataset)
    tensors = {name: torch.tensor(value) for name, value in model.network.tensors().items()}
    rnn, output = torch.nn.GRU(13, 6), torch.nn.Linear(6, 1)
    rnn.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("rnn.")})
    output.load_state_dict({name[7:]: value for name, value in tensors.items() if name.startswith("output.")})
    inputs, _ = model.reader.arrays(dataset.series)
    with torch.no_grad():
        expected = output(rnn(torch.tensor(inputs[:, None], dtype=torch.float32))[0])[:, 0, 0].numpy()
    _, scaled = model.reader.fitted(dataset.series)
    assert scaled[model.reader.first :] == pytest.approx(expected, abs=1e-5)


def test_another_series_has_dates_of_its_own(series_run: Path, series_dataset: Path, tmp_path: Path):
    model, dataset = Forecaster.load(series_run), SeriesDataset.open(series_dataset)
    file = write_series(tmp_path / "s.csv", monthly_rows(120, 0)[5:])
    build_series(str(file), tmp_path / "data", settings=SeriesSettings(valid_rows=12, test_rows=24))
    later = SeriesDataset.open(tmp_path / "data")
    whole, rest = (model.reader.fitted(each.series)[0] for each in (dataset, later))
    # What the network has read before the first of these months matters less and less.
    assert rest[-24:] == pytest.approx(whole[-24:], rel=1e-2)
    assert model.evaluate(later.test).errors.rmse == pytest.approx(
        model.evaluate(dataset.test).errors.rmse, rel=0.05
    )


def test_an_empty_part_is_not_measured(tmp_path: Path):
    dataset = dataset_of(tmp_path, ar_process(60, 0), valid_rows=0, test_rows=0)
    with pytest.raises(RnnlmError, match="The test split of the dataset is empty; choose another with `split`"):
        model_of(dataset).evaluate(dataset.test)


def test_windows_make_no_difference(series_run: Path, series_dataset: Path, monkeypatch: pytest.MonkeyPatch):
    model, dataset = Forecaster.load(series_run), SeriesDataset.open(series_dataset)
    whole, forecast = model.reader.fitted(dataset.series)[0], model.predict(dataset, 3)
    monkeypatch.setattr("rnnlm.models.series_reader.WINDOW", 7)
    assert model.reader.fitted(dataset.series)[0] == pytest.approx(whole, rel=1e-4, nan_ok=True)
    assert model.predict(dataset, 3).values == pytest.approx(forecast.values, rel=1e-4)


def test_a_trained_forecaster_beats_the_baselines(series_run: Path, series_dataset: Path):
    model = rnnlm.load(series_run)
    assert isinstance(model, rnnlm.Forecaster)
    result = model.evaluate(SeriesDataset.open(series_dataset).test).to_dict()
    assert result["rmse"] < result["baselines"]["last_value"]["rmse"]
    assert result["rmse"] < result["baselines"]["last_season"]["rmse"]
    forecast = model.predict(SeriesDataset.open(series_dataset), steps=3)
    assert forecast.dates == ["2010-01", "2010-02", "2010-03"]
    assert len(str(forecast).splitlines()) == 3
    for level in (80, 95):
        low, high = forecast.intervals[level]
        assert all(a < value < b for a, value, b in zip(low, forecast.values, high, strict=True))


def test_scaling_is_fitted_on_the_training_part_only(tmp_path: Path):
    numbers = ar_process(60, 0)
    changed = numbers.copy()
    changed[50:] += 100
    first, second = (
        model_of(dataset_of(tmp_path, each, valid_rows=5, test_rows=5)) for each in (numbers, changed)
    )
    assert first.scaling.to_dict() == second.scaling.to_dict()
    assert first.naive == second.naive


def test_other_columns_are_read(tmp_path: Path):
    rng = np.random.default_rng(0)
    cause = rng.normal(size=80)
    effect = np.concatenate([[0], 2 * cause[:-1]]) + 0.01 * rng.normal(size=80)
    file = write_series(tmp_path / "s.csv", zip(cause, effect, strict=True), "cause,effect")
    settings = SeriesSettings(target_column="effect", valid_rows=0, test_rows=20)
    build_series(str(file), tmp_path / "data", settings=settings)
    dataset = SeriesDataset.open(tmp_path / "data")
    model = model_of(dataset)
    assert model.evaluate(dataset.test).errors.rmse < 0.03
    assert len(model.predict(dataset).values) == 1
    with pytest.raises(RnnlmError, match=r"`steps=2`: the model reads cause, known for 1 step; give rows to come"):
        model.predict(dataset, steps=2)
    coming = np.array([[0.5], [-1.0]])
    forecast = model.predict(replace(dataset.series, coming=coming), steps=3)
    assert forecast.values == pytest.approx([2 * cause[-1], 1.0, -2.0], abs=0.05)
    with pytest.raises(RnnlmError, match="other columns than those that the model reads; give it effect, cause"):
        model.predict(effect.tolist())


@pytest.mark.parametrize(
    ("numbers", "sections", "message"),
    [
        (np.arange(9.0) ** 2, {"model": {"width": 9}}, "the training part has 9 rows, but with its lags"),
        (np.arange(3.0) ** 2, {"task": {"differences": [2]}}, "the training part has 3 rows, but with its lags"),
        (np.arange(20.0), {"task": {"differences": [1]}}, "'x' is constant after task.differences [1]"),
        (np.arange(20.0), {"task": {"log": True}}, "'x' of row 1 is 0, which has no logarithm"),
        (np.arange(20.0) ** 2, {"task": {"calendar": ["month"]}}, "task.calendar: "),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, numbers: Floats, sections: dict[str, Any], message: str):
    with pytest.raises(RnnlmError) as caught:
        model_of(dataset_of(tmp_path, numbers, valid_rows=0, test_rows=0), **sections)
    assert message in str(caught.value)


def test_weekdays_need_days(series_dataset: Path):
    with pytest.raises(RnnlmError, match=r"task\.calendar: the dates of .* have no days; leave weekday out"):
        model_of(SeriesDataset.open(series_dataset), task={"calendar": ["weekday"]})


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([1.0], "The series has 1 row, but with its lags"),
        ([-1.0] * 50, "no dates, and the model reads them"),
    ],
)
def test_series_that_cannot_be_continued(series_run: Path, numbers: list[float], message: str):
    model = Forecaster.load(series_run)
    info = model.info if len(numbers) < 10 else replace(model.info, dates=None)
    with pytest.raises(RnnlmError) as caught:
        model.predict(Series(info, np.array(numbers)[:, None]))
    assert message in str(caught.value)


def checkpoint_of(run: Path) -> Checkpoint:
    from rnnlm.storage.finding import read_checkpoint

    return read_checkpoint(run)


@pytest.mark.parametrize(
    "change",
    [
        {"series": None},
        {"series": {"target": "x"}},
        {"scaling": {"means": [0], "deviations": [-1]}},
        {"scaling": None},
        {"naive_error": "much"},
        {"naive_error": float("nan")},
        {"naive_error": None},
    ],
)
def test_a_damaged_description_is_refused(series_run: Path, change: dict[str, Any]):
    checkpoint = checkpoint_of(series_run)
    values = {**json.loads(checkpoint.files[SERIES_FILE]), **change}
    for content in (json.dumps(values).encode(), b"[" * 100_000, b"\xff"):
        with pytest.raises(RnnlmError, match=r"series\.json: does not describe a series"):
            Forecaster.restore(replace(checkpoint, files={SERIES_FILE: content}))


def test_a_checkpoint_without_its_file_or_weights_is_refused(series_run: Path):
    checkpoint = checkpoint_of(series_run)
    with pytest.raises(RnnlmError, match=r"series\.json: missing"):
        Forecaster.restore(replace(checkpoint, files={}))
    large = checkpoint.config.with_model(hidden_size=100_000)
    with pytest.raises(RnnlmError, match="but its configuration"):
        Forecaster.restore(replace(checkpoint, config=large))


def test_weights_of_another_series_are_found_by_the_names_of_inputs(series_run: Path, tmp_path: Path):
    days = [(f"2020-01-{k + 1:02}", 5 + k % 3 + 0.1 * k) for k in range(31)]
    file = write_series(tmp_path / "days.csv", days, "day,x")
    build_series(str(file), tmp_path / "data")
    trained = Forecaster.load(series_run)
    config = Config.model_validate(
        {
            "task": {"name": "forecast", "calendar": ["weekday", "month"]},
            "data": {"path": str(tmp_path / "data")},
            "training": {"epochs": 1, "sample_tokens": 0},
        }
    )
    trainer = begin_run(config, tmp_path / "run", False, True, series_run)
    new = trainer.model.network.parameters["rnn.weight_ih_l0"]
    old = trained.network.parameters["rnn.weight_ih_l0"]
    assert np.array_equal(new[:, 0], old[:, 0])
    assert np.array_equal(new[:, 8:], old[:, 1:])
    trainer.run()


def test_only_forecasters_begin_with_a_forecaster(series_run: Path, word_dataset: Path, tmp_path: Path):
    config = Config.model_validate({"data": {"path": str(word_dataset)}})
    with pytest.raises(RnnlmError, match="`init_from`: a language model cannot begin with a forecaster"):
        begin_run(config, tmp_path / "run", False, True, series_run)
