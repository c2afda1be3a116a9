"""``rnnlm report``."""

from pathlib import Path

import click

from rnnlm.cli.common import PATH, output_options, print_json, runs_argument, say, x_option


@click.command()
@runs_argument
@click.option(
    "-o",
    "--out",
    type=PATH,
    help="Page to write.  [default: report.html, in the run's directory if there is only one]",
)
@x_option
@click.option(
    "--tensorboard",
    "events_directory",
    type=PATH,
    metavar="DIR",
    help="Write event files for TensorBoard too, or write them again; needs tensorboardX.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Write no file, but show the page in the browser, at the address that is printed, and keep it current "
    "until Ctrl-C.",
)
@output_options
def report(
    paths: tuple[Path, ...],
    out: Path | None,
    x: str,
    events_directory: Path | None,
    watch: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show runs on a web page: curves, samples, settings.

    The page is one file that loads nothing and runs nothing, so it can be opened and sent anywhere. Several runs
    are shown side by side, with their curves in the same charts. A run may still be training: with --watch the
    page follows it. Only this machine can read that page, and only with the whole address.

    \b
    Examples:
      rnnlm report runs/comments
      rnnlm report runs/vanilla runs/lstm --x seconds -o comparison.html
      rnnlm report runs/vanilla runs/lstm --tensorboard events
      rnnlm report runs/comments --watch
    """
    if watch:
        if out is not None or events_directory is not None:
            raise click.UsageError("--watch writes no file; leave --out and --tensorboard out.")
        _watch(paths, x, as_json, quiet)
        return
    from rnnlm.files import explaining, write_atomically
    from rnnlm.report.page import render
    from rnnlm.report.runlog import read_runs

    runs = read_runs(paths)
    if out is None:
        out = Path("report.html") if len(runs) > 1 else runs[0].path / "report.html"
    if events_directory is not None:
        from rnnlm.report.tensorboard import write_events

        with explaining(None, "the events cannot be written", "; choose another --tensorboard"):
            write_events(runs, events_directory)
        say(f"Events for TensorBoard: {events_directory}", quiet)
    with explaining(out, "the page cannot be written", "; choose another --out"):
        write_atomically(out, render(runs, x))
    say(f"Report: {out}", quiet)
    if as_json:
        print_json({"report": str(out), "runs": [run.to_dict() for run in runs]})


def _watch(paths: tuple[Path, ...], x: str, as_json: bool, quiet: bool) -> None:
    """Serve the page of runs until Ctrl-C."""
    from rnnlm.report.server import PageServer
    from rnnlm.report.watch import WatchedRuns

    with PageServer(WatchedRuns(paths, x).page) as server:
        say("Open this address in a browser on this machine; Ctrl-C ends it.", quiet)
        if as_json:
            print_json({"address": server.address})
        else:
            click.echo(server.address)
        server.serve_forever()
