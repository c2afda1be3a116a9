"""``rnnlm diagnose``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import COUNT, PATH, find_model, output_options, print_json, say
from rnnlm.cli.measuring import Measured, measured_options

if TYPE_CHECKING:
    from rnnlm.checks.diagnosis import Diagnosis


@click.command()
@click.option(
    "--model",
    "model_paths",
    multiple=True,
    type=PATH,
    help="Run (its best checkpoint) or checkpoint directory; may be given again, to compare.  "
    "[default: the newest run under runs/, else the small model that is installed]",
)
@measured_options(default_split="valid")
@click.option("--distance", type=COUNT, default=50, show_default=True, help="Most steps back in time.")
@click.option("--plot", "plot_path", type=PATH, help="Picture to draw, such as gradients.png; needs matplotlib.")
@output_options
def diagnose(
    model_paths: tuple[Path, ...],
    measured: Measured,
    distance: int,
    plot_path: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure how the gradient shrinks with the distance back in time.

    For each layer the table has the norm of the derivative of the last step's loss with respect to the hidden
    state h so many steps before, and that norm relative to the one at distance 0. It is the mean over 200 windows
    (fewer in a short text), which are read as a stream. The derivative counts every path to the loss: later
    steps, layers above, and in an LSTM the cell state that later steps write. Only language models are measured:
    other models begin every text anew, and have no loss that reaches back along a stream.

    \b
    Examples:
      rnnlm diagnose --model runs/comments
      rnnlm diagnose --model runs/vanilla --model runs/lstm --distance 100 --plot gradients.png
    """
    from rnnlm.checks.diagnosis import diagnose as measure
    from rnnlm.checks.diagnosis import plot
    from rnnlm.models.language_model import LanguageModel

    diagnoses = {}
    for model_path in model_paths or (find_model(None, quiet),):
        model = LanguageModel.load(model_path)
        with measured.open(model, quiet) as part:
            diagnoses[str(model_path)] = measure(model.network, part, distance)
    if as_json:
        layers = [
            {
                "model": name,
                "layer": k + 1,
                "windows": diagnosis.windows,
                "gradient_norms": norms.tolist(),
                "relative": relative.tolist(),
            }
            for name, diagnosis in diagnoses.items()
            for k, (norms, relative) in enumerate(zip(diagnosis.norms, diagnosis.relative, strict=True))
        ]
        print_json({"distances": list(range(distance + 1)), "layers": layers})
    else:
        click.echo(_table(diagnoses))
    if plot_path is not None:
        plot(diagnoses, plot_path)
        say(f"Plot: {plot_path}", quiet)


def _table(diagnoses: "dict[str, Diagnosis]") -> str:
    """Set the distances under each other and the layers of all models side by side."""
    lines: list[str] = []
    for name, diagnosis in diagnoses.items():
        for k, columns in enumerate(zip(diagnosis.norms, diagnosis.relative, strict=True)):
            title = f"{name}, layer {k + 1}"
            cells = [title, f"{'norm':>9}  {'relative':>9}"]
            cells += [f"{norm:9.2e}  {relative:9.2e}" for norm, relative in zip(*columns, strict=True)]
            width = max(map(len, cells))
            if not lines:
                lines = ["distance", " " * 8, *(f"{d:>8}" for d in range(len(cells) - 2))]
            lines = [f"{line}   {cell:>{width}}" for line, cell in zip(lines, cells, strict=True)]
    return "\n".join(lines)
