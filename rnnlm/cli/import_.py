"""``rnnlm import``."""

from pathlib import Path

import click

from rnnlm.cli.common import (
    chosen_run,
    json_option,
    load_vocabulary,
    print_json,
    quiet_option,
    run_options,
    say,
)


@click.command("import")
@click.argument("weights", type=click.Path(path_type=Path))
@run_options
@click.option(
    "--vocab",
    type=click.Path(path_type=Path),
    help="In place of a dataset: a vocabulary.json, a run or a checkpoint. The run is then not for training.",
)
@json_option
@quiet_option
def import_(
    weights: Path,
    config_path: Path,
    overrides: tuple[str, ...],
    data: Path | None,
    vocab: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a run of WEIGHTS that were trained elsewhere.

    WEIGHTS is a .safetensors file or a state dict that PyTorch saved, with the names and shapes of the
    configuration's network; nothing in it is run. The run is for all other commands; where a dataset is named,
    train --resume goes on from these weights.

    \b
    Examples:
      rnnlm import model.safetensors --config configs/char.yaml --data data/book --out runs/imported
      rnnlm import model.pt --config configs/char.yaml --vocab book.vocabulary.json --out runs/imported
    """
    from rnnlm.exchange.importing import import_run

    if data is not None and vocab is not None:
        raise click.UsageError("give --data or --vocab, not both.")
    config, out = chosen_run(config_path, overrides, data, out, quiet)
    import_run(weights, config, out, None if vocab is None else load_vocabulary(vocab))
    if as_json:
        print_json({"run": str(out)})
    else:
        say(f"Saved in {out}", quiet)
