import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.dates import Dates, GapError, parse


@pytest.mark.parametrize(
    ("texts", "step", "season"),
    [
        (["1949", "1950", "1951"], "12 months", 1),
        (["1949-11", "1949-12", "1950-01"], "1 month", 12),
        (["2020/1", "2020/4", "2020/7"], "3 months", 4),
        (["2020-01-31", "2020-02-29", "2020-03-31"], "1 month", 12),
        (["2020-01-15", "2020-02-15", "2020-03-15"], "1 month", 12),
        (["2020-02-28", "2020-02-29", "2020-03-01"], "1 day", 7),
        (["2020-02-03", "2020-02-10", "2020-02-17"], "7 days", 52),
        (["2020-02-06", "2020-02-07", "2020-02-10", "2020-02-11"], "1 weekday", 5),
        (["2020-02-06 22:00", "2020-02-06 23:00", "2020-02-07 00:00"], "1 hour", 24),
        (["2020-02-06T10:00:00", "2020-02-06T10:15:00"], "15 minutes", 96),
        (["2020-02-06 10:00:00", "2020-02-06 10:00:07"], "7 seconds", 1),
    ],
)
def test_steps_are_found_and_go_on(texts: list[str], step: str, season: int):
    dates = Dates.of(texts)
    assert (dates.in_words, dates.season) == (step, season)
    for row, text in enumerate(texts):
        assert parse(dates.text(row)) == parse(text)
        assert dates.row(text) == row
    assert parse(dates.text(len(texts))) != parse(texts[-1])


def test_what_comes_after_the_last_date():
    assert Dates.of(["2020-01-31", "2020-02-29"]).text(2) == "2020-03-31"
    assert Dates.of(["2020-02-06", "2020-02-07", "2020-02-10"]).text(7) == "2020-02-17"
    assert Dates.of(["1960-11", "1960-12"]).text(2) == "1961-01"
    for texts in (["9998", "9999"], ["9999-12-30", "9999-12-31"]):
        with pytest.raises(RnnlmError, match="later than the year 9999; forecast less"):
            Dates.of(texts).text(10_000_000)


@pytest.mark.parametrize(
    ("texts", "row", "step"),
    [
        (["1949-01", "1949-02", "1949-04", "1949-05"], 2, "1 month"),
        (["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-05"], 3, "1 day"),
        (["2020-01-31", "2020-02-29", "2020-04-30", "2020-05-31", "2020-06-30"], 2, "1 month"),
        (["1949-01", "1949-01", "1949-02", "1949-03"], 1, "1 month"),
    ],
)
def test_a_gap_is_named(texts: list[str], row: int, step: str):
    with pytest.raises(GapError) as caught:
        Dates.of(texts)
    assert (caught.value.row, caught.value.step) == (row, step)


@pytest.mark.parametrize(("texts", "row"), [(["2020-01", "2020-13"], 1), (["2020-01", "2020-02-01"], 1)])
def test_what_is_no_date_is_named(texts: list[str], row: int):
    with pytest.raises(ValueError, match=str(row)):
        Dates.of(texts)


@given(st.dates(), st.integers(1, 40), st.sampled_from(["months", "seconds"]))
def test_rows_and_dates_are_the_same(first: object, step: int, unit: str):
    if unit == "months":
        dates = Dates(str(first)[:7], "months", step)
    else:
        dates = Dates(str(first), "seconds", step * 86_400)
    for row in (0, 1, 17):
        try:
            text = dates.text(row)
        except RnnlmError:
            return
        assert dates.row(text) == row
