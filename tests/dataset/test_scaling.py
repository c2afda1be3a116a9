import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.dataset.scaling import Scaling

LAGS = st.lists(st.integers(1, 5), max_size=3)


def test_differences_by_hand():
    values = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])
    scaling = Scaling(True, (1,), np.zeros(1), np.ones(1))
    assert scaling.scaled(values)[1:, 0] == pytest.approx(np.full(4, np.log(2)))
    both = Scaling(False, (1, 2), np.zeros(1), np.ones(1))
    # w_t = (z_t - z_{t-1}) - (z_{t-2} - z_{t-3})
    assert both.scaled(values)[3:, 0].tolist() == [(8 - 4) - (2 - 1), (16 - 8) - (4 - 2)]


@given(LAGS, st.booleans(), st.integers(0, 100))
def test_what_was_scaled_comes_back(differences: list[int], log: bool, seed: int):
    values = np.exp(np.random.default_rng(seed).normal(size=(30, 2)))
    scaling = Scaling.fit(values, log=log, differences=differences)
    scaled, lags = scaling.scaled(values), sum(differences)
    rest = scaled[lags:]
    assert rest.mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-9)
    assert rest.std(axis=0) == pytest.approx(np.ones(2))
    assert np.isnan(scaled[:lags, 0]).all()
    levels = scaling.levels(values[:, 0])
    past = scaling.past(levels)
    assert scaling.values(rest[:, 0], past[:-1]) == pytest.approx(values[lags:, 0])
    if lags:
        assert scaling.next_past(levels[-lags:, None]) == pytest.approx(past[-1:])


def test_what_comes_off_is_known_before():
    values = np.exp(np.random.default_rng(0).normal(size=(20, 1)))
    scaling = Scaling.fit(values, log=True, differences=[1, 4])
    changed = values.copy()
    changed[12:] *= 3
    past, other = (scaling.past(scaling.levels(each[:, 0])) for each in (values, changed))
    assert past[: 12 - 5 + 1] == pytest.approx(other[: 12 - 5 + 1])


def test_a_constant_series_is_refused():
    with pytest.raises(ValueError, match="constant"):
        Scaling.fit(np.ones((9, 1)))
    with pytest.raises(ValueError, match="constant"):
        Scaling.fit(np.arange(9.0)[:, None], differences=[1])


@pytest.mark.parametrize(
    "fitted",
    [
        {},
        {"means": [0.0], "deviations": [0.0]},
        {"means": [0.0, 1.0], "deviations": [1.0, 1.0]},
        {"means": [float("nan")], "deviations": [1.0]},
        {"means": ["x"], "deviations": [1.0]},
        {"means": 3, "deviations": None},
    ],
)
def test_what_was_not_fitted_is_refused(fitted: dict[str, object]):
    with pytest.raises(ValueError, match=r"means|scaling|could not convert"):
        Scaling.from_dict(fitted, 1, log=False, differences=[])
