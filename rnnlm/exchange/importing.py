"""Weights from elsewhere as a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.exchange.layouts import Layout, recognized
from rnnlm.exchange.weight_files import read_weights
from rnnlm.files import read_text
from rnnlm.models.networks import make_network
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.vocabulary import LARGEST_FILE, Vocabulary
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress


@dataclass(frozen=True)
class WordList:
    """The words of a text file in the order of their ids, one a line.

    Attributes
    ----------
    path
        The file.
    words
        Its lines.
    """

    path: Path
    words: list[str]

    @classmethod
    def read(cls, path: Path) -> "WordList":
        """Read a file.

        Raises
        ------
        RnnlmError
            If it cannot be read, a line is empty, or a word stands in it twice.
        """
        try:
            words = read_text(path, LARGEST_FILE).removesuffix("\n").split("\n")
        except OSError as error:
            raise RnnlmError(f"{path}: cannot be read ({error.strerror}).") from error
        except ValueError as error:
            raise RnnlmError(
                f"{path}: not a list of words ({error}); save it as UTF-8, one word a line."
            ) from error
        words = [word.removesuffix("\r") for word in words]
        known: dict[str, int] = {}
        for number, word in enumerate(words, 1):
            if not word:
                raise RnnlmError(
                    f"{path}, line {number}: it is empty; give one word a line, in the order of the ids."
                )
            if word in known:
                raise RnnlmError(
                    f"{path}, line {number}: {word!r} stands in line {known[word]} already; give each once."
                )
            known[word] = number
        return cls(path, words)


def import_run(
    path: Path,
    config: Config,
    out: Path,
    vocabulary: Vocabulary | WordList | None = None,
    *,
    deduce: bool = False,
) -> str | None:
    """Begin a run whose network has the weights of a file.

    Parameters
    ----------
    path
        The weights, as `read_weights` takes them: with the names of this program, or of one that is `recognized`.
    config
        What network they are for, and how the run would train it.
    out
        The run directory to make.
    vocabulary
        The tokens, where there is no dataset: the run can then be used, but not trained. None takes the dataset of
        the configuration. A list of words is for another program's weights.
    deduce
        Whether `config` leaves the network to what the weights say of it, which only another program's do.

    Returns
    -------
    str or None
        What other program's weights they are.

    Raises
    ------
    RnnlmError
        If a file cannot be read, the weights are not those of the configuration's network, or `out` exists.
    """
    if out.exists():
        raise RnnlmError(f"{out}: exists already; choose another --out.")
    dataset = None
    if vocabulary is None and config.data.path is not None:
        dataset = Dataset.open(config.data.path)
    weights = read_weights(path)
    layout, description = recognized(weights, path), None
    if layout is not None:
        config = layout.configuration(config, path)
        tokens = vocabulary if dataset is None else dataset.vocabulary
        weights, vocabulary, description = _in_order(layout, tokens, path)
    elif deduce:
        raise RnnlmError(f"{path}: its weights do not say what network they are of; give --config.")
    elif isinstance(vocabulary, WordList):
        raise RnnlmError(
            f"{vocabulary.path}: a list of words is for weights of another program, and these are none that is "
            "known; give --vocab a vocabulary.json, a run or a checkpoint."
        )
    run = RunDirectory(out)
    if dataset is not None:
        trainer = Trainer(config, dataset, run, quiet=True)
        fill(trainer.network, weights, path, config.model.tie_weights)
        trainer.begin()
    elif vocabulary is not None:
        network = make_network(config, len(vocabulary))
        fill(network, weights, path, config.model.tie_weights)
        run.begin(config)
        state = {"progress": Progress().to_dict()}
        run.save(0, Checkpoint(config, vocabulary, network.parameters, state, {}), is_best=True)
    else:
        raise RnnlmError("data.path: no dataset is named; give --data DIR or --vocab PATH.")
    return description


def _in_order(
    layout: Layout, tokens: Vocabulary | WordList | None, source: Path
) -> tuple[dict[str, Floats], Vocabulary, str]:
    """Return another program's weights in the order of a vocabulary's ids, the vocabulary, and what they are."""
    description = layout.description
    if isinstance(tokens, WordList):
        if layout.ends_start and "<unk>" not in tokens.words:
            description += "; no <unk> among them, so other words are read as the mean of all, never predicted"
        return *layout.with_words(tokens.words, tokens.path), description
    if tokens is None or len(tokens) != layout.number_of_words:
        others = "" if tokens is None else f", not the {len(tokens):,} of the vocabulary given"
        raise RnnlmError(
            f"{source}: this is {description}{others}; give --vocab WORDS, a text file of its words, one a line "
            "in the order of their ids."
        )
    return layout.tensors, tokens, f"{description}, taken for those of the vocabulary, in the order of its ids"


def fill(network: Network, weights: Mapping[str, Floats], source: Path, tied: bool) -> None:
    """Give a network the weights of a file.

    Parameters
    ----------
    network
        The network.
    weights
        Arrays by name.
    source
        The file that they come from, for messages.
    tied
        Whether ``output.weight`` may stand beside the ``embedding.weight`` that it is tied to.

    Raises
    ------
    RnnlmError
        If a name, a shape or a value is not right; the message names all that are not.
    """
    found, problems = dict(weights), []
    if tied and "output.weight" in found:
        output = found.pop("output.weight")
        if not np.array_equal(output, found.get("embedding.weight", output)):
            problems.append("output.weight differs from embedding.weight, though model.tie_weights is on")
    for name, expected in network.parameters.items():
        value = found.pop(name, None)
        if value is None:
            problems.append(f"{name} {expected.shape} is missing")
        elif value.shape != expected.shape:
            problems.append(f"{name} is {value.shape} instead of {expected.shape}")
        elif np.iscomplexobj(value):
            problems.append(f"{name} has complex numbers")
        else:
            with np.errstate(over="ignore"):
                expected[...] = value
            if not np.isfinite(expected).all():
                problems.append(f"{name} has values that are not finite numbers in {expected.dtype}")
    problems += [f"{name} {value.shape} has no place" for name, value in found.items()]
    if problems:
        raise RnnlmError(
            f"{source}: does not fit the configuration's network: {'; '.join(problems)}; "
            "change the configuration, or rename the tensors."
        )
