"""Weights from elsewhere as a run."""

from dataclasses import asdict, dataclass
from pathlib import Path

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.exchange.layouts import Layout, recognized
from rnnlm.exchange.weight_files import read_weights
from rnnlm.files import explaining, read_text
from rnnlm.models.classifier import Classifier
from rnnlm.models.kinds import kind_of
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.model import TextModel
from rnnlm.models.networks import fill, make_network
from rnnlm.nn.arrays import Floats
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.vocabulary import LARGEST_FILE, Vocabulary
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress


@dataclass(frozen=True)
class WordList:
    """The words of a text file in the order of their ids, one a line."""

    path: Path
    words: list[str]

    @classmethod
    def read(cls, path: Path) -> "WordList":
        """Read a file; an empty line, or a word that appears twice, is refused."""
        try:
            with explaining(path, "cannot be read"):
                words = read_text(path, LARGEST_FILE).removesuffix("\n").split("\n")
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
                    f"{path}, line {number}: {word!r} is in line {known[word]} already; give each once."
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
        The tokens, and a classifier's labels, where there is no dataset: the run can then be used, not trained.
        None takes the dataset of the configuration. A list of words is for another program's weights.
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
        raise RnnlmError(f"{out}: exists already; choose another `out`.")
    data = config.data.path if vocabulary is None else None
    dataset = None if data is None else Dataset.open(data)
    weights = read_weights(path)
    layout, description = recognized(weights, path), None
    if layout is not None:
        config = layout.configuration(config, path)
        tokens = vocabulary if dataset is None else dataset.vocabulary
        weights, vocabulary, description = _in_order(layout, tokens, path)
    elif deduce:
        raise RnnlmError(f"{path}: its weights do not say what network they are of; give `config`.")
    elif isinstance(vocabulary, WordList):
        raise RnnlmError(
            f"{vocabulary.path}: a list of words is for weights of another program, and these are none that is "
            "known; give `vocab` a vocabulary.json, a run or a checkpoint."
        )
    model = _untrained(config, dataset, vocabulary)
    fill(model.network, weights, path, "change the configuration, or rename the tensors")
    run = RunDirectory(out)
    if dataset is not None:
        Trainer(model, dataset, run, quiet=True).begin()
    else:
        run.begin(config)
        run.checkpoints.save(0, model.checkpoint({"progress": asdict(Progress())}, {}), is_best=True)
    return description


def _untrained(config: Config, dataset: Dataset | None, vocabulary: Vocabulary | None) -> TextModel:
    """Make the model of a configuration, for a dataset or, where there is none, a vocabulary."""
    kind = kind_of(config)
    if not issubclass(kind, TextModel):
        raise RnnlmError(f"task.name: weights of a {kind.called} are not imported; train one.")
    if dataset is not None:
        return kind.create(config, dataset)
    if vocabulary is None:
        raise RnnlmError("data.path: no dataset is named; give `data=DIR` or `vocab=PATH`.")
    if config.task.name == "translate":
        raise RnnlmError("task.name: a translator has a vocabulary of its sources too; give `data=DIR`.")
    if config.task.name == "tag":
        raise RnnlmError("task.name: the tags that a tagger answers are in no vocabulary; give `data=DIR`.")
    if config.task.name == "classify":
        labels, words = vocabulary.labels, vocabulary.first_label_id
        if not labels:
            raise RnnlmError("task.name: the vocabulary has no labels for a classifier; give `data=DIR`.")
        return Classifier(make_network(config, words, num_classes=len(labels)), vocabulary, config)
    return LanguageModel(make_network(config, len(vocabulary)), vocabulary, config)


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
            f"{source}: this is {description}{others}; give `vocab=WORDS`, a text file of its words, one a line "
            "in the order of their ids."
        )
    return layout.tensors, tokens, f"{description}, taken for those of the vocabulary, in the order of its ids"
