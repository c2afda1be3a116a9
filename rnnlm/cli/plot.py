"""``rnnlm plot``."""

from pathlib import Path

import click

from rnnlm.cli.common import PATH, output_options, print_json, runs_argument, say, x_option


@click.command()
@runs_argument
@click.option(
    "-o",
    "--out",
    type=PATH,
    help="Picture to draw, in the format its ending names.  "
    "[default: curves.png, in the run's directory if there is only one]",
)
@x_option
@output_options
def plot(paths: tuple[Path, ...], out: Path | None, x: str, as_json: bool, quiet: bool) -> None:
    """Draw the curves of runs as a picture; needs matplotlib.

    Of a forecaster: its series, each row as it was forecast from those before it, and the forecast of what
    follows. An .svg is dark where its reader prefers dark pages.

    \b
    Examples:
      rnnlm plot runs/comments
      rnnlm plot runs/vanilla runs/lstm --x epoch -o comparison.svg
      rnnlm plot runs/airline-narx -o forecast.png
    """
    from rnnlm.report.picture import plot as draw
    from rnnlm.report.runlog import read_runs

    runs = read_runs(paths)
    if out is None:
        out = Path("curves.png") if len(runs) > 1 else runs[0].path / "curves.png"
    draw(runs, out, x)
    say(f"Plot: {out}", quiet)
    if as_json:
        print_json({"plot": str(out), "runs": [run.to_dict() for run in runs]})
