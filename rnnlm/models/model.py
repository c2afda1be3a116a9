"""What every kind of model has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.batches import SentenceBatches, StreamBatches
from rnnlm.dataset.store import Dataset, Split
from rnnlm.evaluation.perplexity import Evaluation
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint

if TYPE_CHECKING:
    from typing_extensions import Self


class Model(ABC):
    """A network, and what turns people's data into its arrays and its arrays into answers.

    It is both what is trained and what is used: the trainer knows no kind of model by name.
    """

    network: Network
    config: Config

    @classmethod
    @abstractmethod
    def create(cls, config: Config, dataset: Dataset) -> "Self":
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
        """Return the files of a checkpoint that only this kind of model has, by their names."""

    @abstractmethod
    def batches(self, split: Split) -> SentenceBatches | StreamBatches:
        """Return the batches in which the model is trained on a part of a dataset."""

    @abstractmethod
    def evaluate(self, split: Split, *, watch: Callable[[], None] = lambda: None) -> Evaluation:
        """Measure the model on a part of a dataset that is not empty.

        `watch` is called at every window; what it raises ends the measuring.

        Raises
        ------
        OverflowedError
            If the probabilities are not finite numbers.
        """

    @abstractmethod
    def preview(self, rng: np.random.Generator, length: int) -> str:
        """Return a text, at most `length` tokens long, that shows what the model can do so far."""

    @property
    @abstractmethod
    def guessing_loss(self) -> float:
        """The loss, in nats a prediction, of one who takes all answers for equally likely."""

    @abstractmethod
    def description(self) -> str:
        """Describe the network in one line."""

    @abstractmethod
    def data_description(self) -> str:
        """Say in a few words what the network's inputs and outputs are."""
