import numpy as np
import pytest

from rnnlm.evaluation.forecasts import Errors, baseline_errors, naive_error


def test_errors_by_hand():
    errors = Errors.of(np.array([3.0, -4.0, 0.0]), naive_error=2.0)
    assert errors.rmse == pytest.approx(np.sqrt(25 / 3))
    assert errors.mae == pytest.approx(7 / 3)
    assert errors.mase == pytest.approx(7 / 6)
    assert Errors.of(np.array([1.0]), naive_error=0.0).to_dict() == {"rmse": 1.0, "mae": 1.0}


def test_mase_divides_by_the_season_before_in_the_training_part():
    training = np.array([1.0, 5.0, 2.0, 8.0])
    assert naive_error(training, 2) == (abs(2 - 1) + abs(8 - 5)) / 2
    assert naive_error(training, 1) == (4 + 3 + 6) / 3
    assert naive_error(training, 12) == naive_error(training, 1)


def test_baselines_by_hand():
    series = np.array([1.0, 5.0, 2.0, 8.0, 4.0])
    found = baseline_errors(series, 3, 2, 1.0)
    assert found["last_value"].mae == (abs(8 - 2) + abs(4 - 8)) / 2
    assert found["last_season"].mae == (abs(8 - 5) + abs(4 - 2)) / 2
    assert found["last_value_and_season"].mae == (abs(8 - (2 + 5 - 1)) + abs(4 - (8 + 2 - 5))) / 2
    assert list(baseline_errors(series, 1, 1, 1.0)) == ["last_value"]
    # Where the season before is not there for all rows, it is left out.
    assert list(baseline_errors(series, 1, 2, 1.0)) == ["last_value"]
    assert list(baseline_errors(series, 2, 2, 1.0)) == ["last_value", "last_season"]
