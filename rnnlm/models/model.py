"""What every kind of model has in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.batches import Batches
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.storage.finding import read_checkpoint
from rnnlm.text.tags import Tags
from rnnlm.text.vocabulary import SPECIAL, VOCABULARY_FILE, Vocabulary

if TYPE_CHECKING:
    from typing_extensions import Self


DatasetT = TypeVar("DatasetT")
"""What a model is trained on."""

SplitT = TypeVar("SplitT")
"""A part of that."""


class Evaluation(Protocol):
    """What measuring a model gives, whatever it does."""

    def __add__(self, other: Any) -> "Evaluation":
        """Return the evaluation of two shares together."""

    @property
    def cross_entropy(self) -> float:
        """Nats a prediction; of a forecaster the squared error, scaled."""

    def measures(self) -> dict[str, float]:
        """Return the task's own measures by name; the first, if there is any, chooses the best model."""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data for JSON."""


class Model(ABC, Generic[DatasetT, SplitT]):
    """A network, and what turns people's data into its arrays and its arrays into answers.

    It is both what is trained and what is used: the trainer knows no kind of model by name.

    Attributes
    ----------
    task
        The ``task.name`` of its configurations.
    called
        What people call such a model.
    network, config
        Its weights and layers, and the configuration of its training.
    """

    task: ClassVar[str]
    called: ClassVar[str]
    network: Network
    config: Config

    @classmethod
    def load(cls, path: str | Path) -> "Self":
        """Load a run's best checkpoint, or the checkpoint directory itself.

        Raises
        ------
        RnnlmError
            If there is none, it is damaged, or holds another kind of model.
        """
        checkpoint = read_checkpoint(path)
        task = checkpoint.config.task.name
        if task != cls.task:
            raise RnnlmError(f"{path}: its task is {task}, so it is not a {cls.called}; name one that is.")
        return cls.restore(checkpoint)

    @classmethod
    @abstractmethod
    def open(cls, path: str | Path) -> DatasetT:
        """Open a dataset of the kind that the model is trained on.

        Raises
        ------
        RnnlmError
            If it is none, or damaged.
        """

    @classmethod
    @abstractmethod
    def create(cls, config: Config, dataset: DatasetT) -> "Self":
        """Make an untrained model, with initial weights.

        Raises
        ------
        RnnlmError
            If the dataset does not fit the configuration.
        """

    @classmethod
    @abstractmethod
    def restore(cls, checkpoint: Checkpoint) -> "Self":
        """Make the trained model of a checkpoint.

        Raises
        ------
        RnnlmError
            If a file that the model needs is missing or damaged, or the weights are not those of its network.
        """

    def checkpoint(
        self,
        state: dict[str, Any],
        state_tensors: dict[str, Floats],
        averages: Mapping[str, Floats] | None = None,
    ) -> Checkpoint:
        """Return a checkpoint of the model as it is, with the progress of its training.

        Weights in `averages` are saved in place of its own.
        """
        tensors = self.network.tensors(averages)
        return Checkpoint(self.config, tensors, state, state_tensors, self.files())

    @abstractmethod
    def files(self) -> dict[str, bytes]:
        """Return the files of a checkpoint that this kind of model needs, by their names."""

    @abstractmethod
    def batches(self, split: SplitT) -> Batches:
        """Return the batches in which the model is trained on a part of a dataset."""

    @abstractmethod
    def evaluate(
        self, split: SplitT, *, watch: Callable[[], None] = lambda: None, share: Share = ALL
    ) -> Evaluation:
        """Measure the model on a part of a dataset that is not empty.

        `watch` is called at every window; what it raises ends the measuring. The evaluations of all shares add up
        to that of the whole.

        Raises
        ------
        OverflowedError
            If the probabilities are not finite numbers.
        """

    @abstractmethod
    def preview(self, split: SplitT, rng: np.random.Generator, length: int) -> str:
        """Return a text, at most `length` tokens long, that shows what the model can do so far.

        Where it answers something, it is a text of `split`, which is not empty.
        """

    @property
    @abstractmethod
    def guessing_loss(self) -> float:
        """The loss of one who knows nothing."""

    @property
    def guessing_accuracy(self) -> float:
        """The share of right answers of one who always gives the most frequent; 0 where none are counted."""
        return 0.0

    @property
    @abstractmethod
    def token_names(self) -> list[str]:
        """The names of what it reads, the same in all models that read the same."""

    @abstractmethod
    def entries(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Return the parameters with an entry for each of some names: the axis that counts them, and the names."""

    def description(self) -> str:
        """Describe the network in one line."""
        model = self.config.model
        layers = f"{model.cell_with_width}, {model.num_layers} x {model.hidden_size}"
        if model.bidirectional:
            layers += " in each direction"
        weights = sum(value.size for value in self.network.parameters.values())
        return f"{layers}, {self._source_description()}, {weights:,} weights"

    @abstractmethod
    def _source_description(self) -> str:
        """Say in a few words as what the network reads its inputs."""

    @abstractmethod
    def data_description(self) -> str:
        """Say in a few words what the network's inputs and outputs are."""


class TextModel(Model[Dataset, Split]):
    """A model that reads text.

    Attributes
    ----------
    vocabulary
        Its tokens, and how text becomes them.
    tags
        The tags that it gives to tokens; None where it gives none.
    source_vocabulary
        The tokens of what it translates, where `vocabulary` has those of the translation; None where it does not.
    """

    vocabulary: Vocabulary
    tags: Tags | None = None
    source_vocabulary: Vocabulary | None = None

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open a dataset of text; see `Model.open`."""
        return Dataset.open(path)

    def files(self) -> dict[str, bytes]:
        """Return the vocabulary; see `Model.files`."""
        return {VOCABULARY_FILE: self.vocabulary.content(VOCABULARY_FILE)}

    @property
    def guessing_loss(self) -> float:
        """The loss, in nats a prediction, of one who takes all answers for equally likely."""
        return math.log(len(self.answers))

    @property
    @abstractmethod
    def answers(self) -> Sequence[str]:
        """The answers from which a prediction chooses, in the order of the output's rows."""

    @property
    def writes(self) -> bool:
        """Whether its answers are the tokens of its vocabulary."""
        return self.answers is self.vocabulary.tokens

    @property
    def token_names(self) -> list[str]:
        """The tokens that the network reads; the special ones have names that are no word's, always the same."""
        return self._names_in_vocabulary()

    def _names_in_vocabulary(self) -> list[str]:
        return token_names(self.vocabulary)[: self.network.vocabulary_size]

    def entries(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Return the parameters with an entry for each of some names: the axis that counts them, and the names."""
        network, tokens = self.network, self._names_in_vocabulary()
        answers = tokens if self.writes else self.answers
        entries: dict[str, tuple[int, Sequence[str]]] = {network.input_tensor: (network.source.token_axis, tokens)}
        entries |= {f"{network.prefix}output.{name}": (0, answers) for name in network.head.class_parameters}
        return {name: entry for name, entry in entries.items() if name in network.parameters}

    def _source_description(self) -> str:
        model = self.config.model
        source = "one-hot input" if model.embedding_size is None else f"embeddings of {model.embedding_size}"
        if model.character_size is not None:
            source += f" and {2 * model.character_size} from characters"
        return source


def token_names(vocabulary: Vocabulary) -> list[str]:
    """Return the tokens of a vocabulary; the special ones have names that are no word's, always the same."""
    words = vocabulary.tokens[len(SPECIAL) : vocabulary.first_label_id]
    starts = [f"\0start:{label}" for label in vocabulary.labels]
    return [*(f"\0{name}" for name in SPECIAL), *words, *starts]


def vocabulary_of(checkpoint: Checkpoint) -> Vocabulary:
    """Return the vocabulary in a checkpoint; refuse one that has none, or a damaged one."""
    source = str(checkpoint.directory / VOCABULARY_FILE)
    return Vocabulary.from_bytes(checkpoint.file(VOCABULARY_FILE), source)


def check_vocabulary_size(config: Config, dataset: Dataset) -> None:
    """Refuse a dataset that has not as many tokens as the configuration says."""
    size = len(dataset.vocabulary)
    if config.model.vocabulary_size not in (None, size):
        raise RnnlmError(
            f"model.vocabulary_size: {config.model.vocabulary_size}, but {dataset.path} has "
            f"{size} tokens; leave the key out to take the dataset's."
        )
