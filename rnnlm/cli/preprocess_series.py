"""``rnnlm preprocess --format series``: numbers to a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import COUNT, as_argument, print_json, say
from rnnlm.cli.reading import say_reading

if TYPE_CHECKING:
    from rnnlm.dataset.building.division import DivisionSettings
    from rnnlm.dataset.building.series import SeriesSettings
    from rnnlm.text.inputs import ReaderSettings

ROWS = click.IntRange(min=0)


def _settings(
    target_column: str | None, season: int | None, valid_rows: int | None, test_rows: int | None
) -> "SeriesSettings":
    from rnnlm.dataset.building.series import SeriesSettings

    return SeriesSettings(target_column, season, valid_rows, test_rows)


series_options = as_argument(
    "series",
    _settings,
    click.option(
        "--target-column",
        metavar="NAME",
        help="With --format series: the column that is forecast.  [default: the only one of numbers]",
    ),
    click.option(
        "--season",
        type=COUNT,
        metavar="N",
        help="With --format series: rows in a season.  [default: by the dates; 12 for months]",
    ),
    click.option(
        "--valid-rows", type=ROWS, metavar="N", help="With --format series: rows for validation, not a share."
    ),
    click.option(
        "--test-rows", type=ROWS, metavar="N", help="With --format series: rows for the test, not a share."
    ),
)


def make_series(
    source: str,
    out: Path,
    settings: "SeriesSettings",
    reader: "ReaderSettings",
    division: "DivisionSettings",
    *,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make the dataset, and say what it is."""
    from rnnlm.dataset.building.series import build_series
    from rnnlm.text.report import ReadReport, counted

    report = ReadReport()
    result = build_series(
        source, out, settings=settings, reader=reader, division=division, overwrite=overwrite, report=report
    )
    say_reading(report, quiet)
    info = result.info
    when = "without dates" if info.dates is None else f"{info.dates.in_words} from one to the next"
    season = f"{info.season} rows in a season" if info.season > 1 else "no season"
    say(f"Rows: {when}, {season}.", quiet)
    if info.inputs:
        say(f"{info.target} is forecast from itself and {', '.join(info.inputs)}.", quiet)
    if as_json:
        print_json(result.to_dict())
    else:
        parts = ", ".join(f"{name} {points:,}" for name, points in result.points.items())
        click.echo(f"{out}: {counted(sum(result.points.values()), 'row{s}')} of {info.target} ({parts})")
