"""Runs on one HTML page that needs nothing else: no network, no other file."""

import base64
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeVar

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.report.curves import MAX_POINTS, SPLIT_NAMES, X_AXES, Curve, charts, curves
from rnnlm.report.forecasts import SeriesPicture, draw_svg
from rnnlm.report.markup import capitalized, escape, number
from rnnlm.report.runlog import Measurement, RunLog
from rnnlm.report.svg import draw, line_classes
from rnnlm.training.progress import called
from rnnlm.tuning.record import Trial
from rnnlm.tuning.trial import MEASURED_AT
from rnnlm.tuning.tuning import shown

Item = TypeVar("Item")
Row = tuple[str, Sequence[object]]

MAX_SAMPLES = 40
"""Samples or examples of a run that are shown, and lines of the table of its evaluations; see `_spread`."""

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'{allowed}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
</header>
<main>
{body}
</main>
{script}</body>
</html>
"""


def render(runs: Sequence[RunLog], x: str = "step") -> str:
    """Return the page that shows runs, beside and over one another.

    All text from a run is escaped, and the page forbids the browser to load or to run anything. The curves are
    drawn over `x`, one of `X_AXES`.
    """
    return page(title(run.label for run in runs), sections(runs, x))


def title(labels: Iterable[str]) -> str:
    """Return the title of a page of runs."""
    return "Training of " + ", ".join(labels)


def sections(runs: Sequence[RunLog], x: str) -> dict[str, str]:
    """Return what `render` shows, by its headings."""
    labels = [run.label for run in runs]
    return {
        "Summary": _table(labels, _summary(runs)),
        **_forecasts(runs),
        "Curves": "\n".join(_charts(runs, x)),
        _previews(runs): _columns(runs, _samples),
        "Evaluations": _columns(runs, _evaluations),
        "Text": _table(labels, _text(runs)),
        **_tunings(runs),
        "Configuration": "\n".join(_configuration(runs)),
        "Machine": _table(labels, _rows([run.environment for run in runs])),
    }


def page(title: str, sections: Mapping[str, str], script: str = "", allowed: str = "", style: str = "") -> str:
    """Return a page of sections, by their headings; these and what they hold are HTML already.

    Parameters
    ----------
    title
        Its title, as text.
    sections
        What it shows.
    script
        The JavaScript that it runs, if any: the browser is to run no other.
    allowed
        What else the browser may do, as a Content-Security-Policy says it, such as ``connect-src 'self'``.
    style
        What its style sheet has beside that of all pages.
    """
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allowed = f"script-src 'sha256-{digest}'; {allowed}"
    return PAGE.format(
        title=escape(title),
        allowed=f"; {allowed}" if allowed else "",
        script=f"<script>{script}</script>\n" if script else "",
        style=files("rnnlm.report").joinpath("page.css").read_text(encoding="utf-8") + style,
        body="\n".join(f"<section>\n<h2>{name}</h2>\n{body}\n</section>" for name, body in sections.items()),
    )


def _summary(runs: Sequence[RunLog]) -> Iterator[Row]:
    models = [run.config.model for run in runs]
    best = [run.best for run in runs]
    valid = [run.evaluations[-1] if run.evaluations else None for run in runs]
    yield "Directory", [run.path for run in runs]
    yield "Task", [run.task.replace("_", " ") for run in runs]
    yield (
        "Network",
        [
            f"{model.cell_with_width}, {model.num_layers} × {model.hidden_size}"
            f"{' in each direction' * model.bidirectional}"
            for model in models
        ],
    )
    deciding = dict.fromkeys(run.measures[0] for run in runs if run.measures)
    others = dict.fromkeys(name for run in runs for name in run.measures if name not in deciding)
    for name in deciding:
        yield f"Best validation {called(name)}", [_measured(*each, name) for each in zip(runs, best, strict=True)]
    for name in others:
        values = [_measured(*each, name) for each in zip(runs, best, strict=True)]
        yield f"Validation {called(name)} at the best step", values
    yield "Validation loss at the best step, nats", [number(line.loss, 4) if line else "–" for line in best]
    yield "Best step", [number(line.step) if line else "–" for line in best]
    for name in deciding:
        yield f"Last validation {called(name)}", [_measured(*each, name) for each in zip(runs, valid, strict=True)]
    yield "Steps", [number(run.last.step) for run in runs]
    yield "Epochs", [number(run.last.epoch) for run in runs]
    yield "Tokens trained on", [number(run.last.tokens) for run in runs]
    yield "Seconds of training", [number(run.last.seconds, 0) for run in runs]
    yield "Tokens per second", [number(run.tokens_per_second, 0) for run in runs]


def _measured(run: RunLog, line: Measurement | None, name: str) -> str:
    """Return a measure of an evaluation; a dash where the run is not judged by it."""
    if line is None or name not in run.measures:
        return "–"
    return number(line.value(name), 2 if name == "perplexity" else 4)


def _charts(runs: Sequence[RunLog], x: str) -> Iterator[str]:
    yield '<div class="charts">'
    missing = []
    for chart in charts(runs):
        drawn = curves(chart, runs, x)
        if not drawn:
            missing.append(chart.title.lower())
            continue
        yield f"<figure>\n<figcaption>{chart.title} <small>{chart.unit}</small></figcaption>"
        yield f'<ul class="legend">{"".join(map(_legend, drawn))}</ul>'
        yield f"{draw(chart, drawn, X_AXES[x])}\n</figure>"
    yield "</div>"
    if missing:
        yield f'<p class="note">Not logged: {", ".join(missing)}.</p>'
    yield f'<p class="note">A curve with more than {MAX_POINTS} points is drawn through its highs and lows.</p>'


def _forecasts(runs: Sequence[RunLog]) -> dict[str, str]:
    """Return the section with the forecasts of forecasters, if there are any, or why one cannot be shown."""
    parts = []
    for run in runs:
        try:
            picture = SeriesPicture.of(run)
        except RnnlmError as error:
            parts.append(f'<p class="note">{escape(run.label)}: {escape(error)}</p>')
            continue
        if picture is not None:
            parts.append(
                f"<figure>\n<figcaption>{escape(picture.label)} <small>{escape(picture.target)} (black), each row "
                "as forecast from those before it (blue), and the rows to come (red) with the 80 % and 95 % "
                "intervals; it was trained on what is left of the dashed line</small></figcaption>\n"
                f"{draw_svg(picture)}\n</figure>"
            )
    return {"Forecast": "\n".join(parts)} if parts else {}


def _legend(curve: Curve) -> str:
    text = f"{escape(curve.label)}, {SPLIT_NAMES[curve.split]}"
    if curve.best is not None:
        text += f" (○ best evaluation: {curve.best[1]:.5g} at {number(curve.best[0])})"
    swatch = f'<path class="line {line_classes(curve)}" d="M2 6H38"/>'
    return f'<li><svg class="swatch" viewBox="0 0 40 12" aria-hidden="true">{swatch}</svg> {text}</li>'


def _previews(runs: Sequence[RunLog]) -> str:
    """Return what the texts are: drawn from a language model, or examples of what another model answers."""
    kinds = dict.fromkeys("samples" if run.task == "language_model" else "examples" for run in runs)
    return " and ".join(kinds).capitalize()


def _samples(run: RunLog) -> Iterator[str]:
    if not run.samples:
        yield '<p class="note">There are none.</p>'
        return
    evaluations = {line.step: line for line in run.evaluations}
    deciding = next(iter(run.measures), None)
    shown = _spread(run.samples)
    if len(shown) < len(run.samples):
        yield f'<p class="note">{len(shown)} of {len(run.samples):,}.</p>'
    yield '<ol class="samples">'
    for sample in shown:
        when = f"Step {number(sample.step)}"
        if sample.step in evaluations:
            line = evaluations[sample.step]
            when += f", epoch {number(line.epoch)}"
            if deciding is not None:
                when += f", {called(deciding)} {_measured(run, line, deciding)}"
        yield f'<li>{when}\n<p class="sample" lang="" dir="auto">{escape(sample.text)}</p></li>'
    yield "</ol>"


def _evaluations(run: RunLog) -> Iterator[str]:
    shown = _spread(run.evaluations)
    yield f"<details>\n<summary>{len(shown)} of {len(run.evaluations):,}</summary>"
    measures = run.measures
    values = [
        (
            number(line.step),
            [number(line.epoch), number(line.loss, 4), *(_measured(run, line, name) for name in measures)],
        )
        for line in shown
    ]
    heads = ["Epoch", "Loss", *(capitalized(called(name)) for name in measures)]
    yield _table(heads, values, corner="Step")
    yield "</details>"


def _text(runs: Sequence[RunLog]) -> Iterator[Row]:
    yield "Dataset", [run.config.data.path or "–" for run in runs]
    if all(run.vocabulary is None for run in runs):
        return
    vocabularies = [run.vocabulary for run in runs if run.vocabulary is not None]
    if len(vocabularies) < len(runs):
        return
    yield "Level", [vocabulary.settings.level for vocabulary in vocabularies]
    yield "Tokenizer", [vocabulary.settings.tokenizer for vocabulary in vocabularies]
    sizes = [vocabulary.first_label_id for vocabulary in vocabularies]
    yield "Vocabulary, special tokens included", [f"{size:,}" for size in sizes]
    if any(run.source_vocabulary for run in runs):
        sources = [run.source_vocabulary for run in runs]
        yield "Vocabulary of the sources", [f"{len(source):,}" if source else "–" for source in sources]
    if any(vocabulary.labels for vocabulary in vocabularies):
        yield (
            "Labels",
            [f"{len(vocabulary.labels):,}" if vocabulary.labels else "–" for vocabulary in vocabularies],
        )
    yield "Unknown token", [vocabulary.unknown_token for vocabulary in vocabularies]
    for split, name in (("train", "training"), ("valid", "validation"), ("test", "test")):
        yield f"Unknown in the {name} split", [_unknown_rate(run, split) for run in runs]


def _unknown_rate(run: RunLog, split: str) -> str:
    if not run.unknown_rates:
        return "dataset not available"
    return f"{run.unknown_rates[split]:.2%}" if split in run.unknown_rates else "–"


def _tunings(runs: Sequence[RunLog]) -> dict[str, str]:
    """Return the section with the trials of runs that were tuned, if there are any."""
    parts = [f"<h3>{escape(run.label)}</h3>\n{_trials(run.trials)}" for run in runs if run.trials]
    return {"Tuning": "\n".join(parts)} if parts else {}


def _trials(trials: Sequence[Trial]) -> str:
    """Show trials, the best first and those that were not completed last."""
    keys, shares = list(trials[0].values), [*MEASURED_AT, 1.0]
    measure = next((trial.measure for trial in trials if trial.evaluations), "loss")
    heads = [*keys, "training.seed", *(f"{capitalized(called(measure))} after {share:.0%}" for share in shares)]
    rows = []
    for trial in sorted(trials, key=lambda trial: trial.score):
        found = {each["share"]: each.get(measure, math.nan) for each in trial.evaluations}
        values = [*(shown(trial.values[key]) for key in keys), trial.seed]
        reached = [number(found[share], 4) if share in found else "–" for share in shares]
        rows.append((str(trial.number + 1), [*values, *reached, trial.state, number(trial.seconds)]))
    return _table([*heads, "End", "Seconds"], rows, corner="Trial")


def _configuration(runs: Sequence[RunLog]) -> Iterator[str]:
    """Show what differs, and what there is."""
    labels = [run.label for run in runs]
    configs = [
        {
            f"{section}.{key}": value
            for section, values in run.config.model_dump().items()
            for key, value in values.items()
        }
        for run in runs
    ]
    rows = list(_rows(configs))
    if len(runs) > 1:
        different = [row for row in rows if len(set(row[1])) > 1]
        yield _table(labels, different) if different else "<p>No key differs.</p>"
    yield f"<details>\n<summary>All {len(rows)} keys</summary>\n{_table(labels, rows)}\n</details>"


def _rows(columns: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """Set the values of the same key beside each other, as JSON unless they are text."""
    for key in dict.fromkeys(key for column in columns for key in column):
        values = [column.get(key, "–") for column in columns]
        yield key, [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]


def _columns(runs: Sequence[RunLog], show: Callable[[RunLog], Iterable[str]]) -> str:
    """Set the runs side by side, where there is room."""
    parts = ["\n".join([f"<div>\n<h3>{escape(run.label)}</h3>", *show(run), "</div>"]) for run in runs]
    return "\n".join(['<div class="columns">', *parts, "</div>"])


def _table(columns: Sequence[str], rows: Iterable[Row], corner: str = "") -> str:
    """Make a table; a narrow screen scrolls it sideways."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = [
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(value)}</td>" for value in values)}</tr>'
        for name, values in rows
    ]
    return "\n".join(
        [
            '<div class="table" tabindex="0">\n<table>',
            f"<thead><tr><td>{corner}</td>{head}</tr></thead>\n<tbody>",
            *lines,
            "</tbody>\n</table>\n</div>",
        ]
    )


def _spread(items: Sequence[Item]) -> list[Item]:
    """Choose `MAX_SAMPLES` items from all over a longer sequence, the first and the last among them."""
    chosen = np.linspace(0, len(items) - 1, min(len(items), MAX_SAMPLES)).round().astype(int)
    return [items[k] for k in chosen]
