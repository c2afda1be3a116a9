"""``rnnlm import``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import PATH, RUNS, chosen_run, load_vocabulary, output_options, print_json, run_options, say

if TYPE_CHECKING:
    from rnnlm.exchange.importing import WordList
    from rnnlm.text.vocabulary import Vocabulary


@click.command("import")
@click.argument("weights", type=PATH)
@run_options
@click.option(
    "--vocab",
    type=PATH,
    help="In place of a dataset: a vocabulary.json, a run or a checkpoint; for another program's weights a text "
    "file of its words, one a line. The run is then not for training.",
)
@output_options
def import_(
    weights: Path,
    config_path: Path | None,
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
    train --resume goes on from these weights. They may also be a classifier's, whose labels are the dataset's or
    the vocabulary's, and a tagger's, for which --data is needed.

    The weights of the published tutorial's network (a NumPy archive of U, V and W) and of PyTorch's
    word-language-model example are recognized by their names and need no --config. Their words are given with
    --vocab, one a line in the order of the ids. The run is then called like the file of weights, unless --out
    names it.

    \b
    Examples:
      rnnlm import model.safetensors --config configs/char.yaml --data data/book --out runs/imported
      rnnlm import model.pt --config configs/char.yaml --vocab book.vocabulary.json --out runs/imported
      rnnlm import rnn-theano-100-8000.npz --vocab words.txt --out runs/published
    """
    from rnnlm.config import Config, DataConfig
    from rnnlm.exchange.importing import import_run

    if data is not None and vocab is not None:
        raise click.UsageError("Give --data or --vocab, not both.")
    if config_path is None:
        config = Config.load(None, overrides)
        if data is not None:
            config = config.model_copy(update={"data": DataConfig(path=str(data))})
        out = out or RUNS / weights.stem
    else:
        config, out = chosen_run(config_path, overrides, data, out, quiet)
    words = None if vocab is None else _words(vocab)
    description = import_run(weights, config, out, words, deduce=config_path is None)
    if description is not None:
        say(f"{weights}: {description}", quiet)
    if as_json:
        print_json({"run": str(out)})
    else:
        say(f"Saved in {out}", quiet)


def _words(path: Path) -> "Vocabulary | WordList":
    """Read a vocabulary, or a file that is none as a list of words."""
    from rnnlm.exchange.importing import WordList

    if path.is_file():
        with path.open("rb") as file:
            if file.read(2) != b'{"':
                return WordList.read(path)
    return load_vocabulary(path)
