"""The classifier: a label for a text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.batches import LONGEST_WINDOW, LabelledBatches
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.answers import ClassEvaluation
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.models.model import TextModel, check_vocabulary_size, vocabulary_of
from rnnlm.models.networks import make_network, restored_network
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.text.chunks import chunks
from rnnlm.text.vocabulary import Vocabulary

TEXTS_TOGETHER = 64
"""Most texts that are read side by side."""


@dataclass(frozen=True)
class Classified:
    """What a classifier says of a text.

    Attributes
    ----------
    label, probability
        The most likely label; None of a text without tokens.
    probabilities
        That of every label, the most likely first.
    """

    label: str | None
    probability: float | None
    probabilities: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return "" if self.label is None else f"{self.label}\t{self.probability:.4f}"


class Classifier(TextModel):
    """A network that reads a text and says which label it has.

    A text is read to its end, or for its first 1,024 tokens, from the zero state; the steps become one vector
    (`nn.pooling`), from which the softmax predicts the label.
    """

    task = "classify"
    called = "classifier"

    def __init__(self, network: Network, vocabulary: Vocabulary, config: Config) -> None:
        self.network, self.vocabulary, self.config = network, vocabulary, config

    @classmethod
    def create(cls, config: Config, dataset: Dataset) -> "Classifier":
        """Make an untrained model with the dataset's vocabulary and labels; see `Model.create`."""
        check_vocabulary_size(config, dataset)
        vocabulary = dataset.vocabulary
        if not vocabulary.labels:
            raise RnnlmError(f"{dataset.path}: its texts have no labels; preprocess them with `label_column`.")
        if len(vocabulary.labels) == 1:
            raise RnnlmError(
                f"{dataset.path}: all its texts have the label {vocabulary.labels[0]!r}, so there is nothing to "
                "learn; preprocess texts of two labels or more."
            )
        network = make_network(config, vocabulary.first_label_id, num_classes=len(vocabulary.labels))
        return cls(network, vocabulary, config)

    @classmethod
    def restore(cls, checkpoint: Checkpoint) -> "Classifier":
        """Make the trained model of a checkpoint, which has its vocabulary and labels; see `Model.restore`."""
        vocabulary = vocabulary_of(checkpoint)
        network = restored_network(checkpoint, vocabulary.first_label_id, num_classes=len(vocabulary.labels))
        return cls(network, vocabulary, checkpoint.config)

    def batches(self, split: Split) -> LabelledBatches:
        """Return texts with their labels."""
        training = self.config.training
        first = self.vocabulary.first_label_id
        return LabelledBatches(split, training.batch_size, training.seed, first_label_id=first)

    @np.errstate(all="ignore")
    def evaluate(
        self, split: Split, *, watch: Callable[[], None] = lambda: None, share: Share = ALL
    ) -> ClassEvaluation:
        """Measure the model on a part of a dataset; see `Model.evaluate`.

        A text whose label the model does not know counts as an error.
        """
        evaluation = ClassEvaluation(self.vocabulary.labels)
        batches = LabelledBatches(split, TEXTS_TOGETHER, first_label_id=self.vocabulary.first_label_id)
        for batch in share.of(batches.epoch(0)):
            watch()
            state = self.network.initial_state(batch.mask.shape[1])
            [log_probs], _ = self.network.log_probs(batch.inputs, state, lengths=batch.lengths)
            refuse_overflow(log_probs)
            evaluation.add(log_probs, np.where(batch.mask, batch.targets, -1)[0])
        return evaluation

    def predict(self, texts: Iterable[str]) -> Iterator[Classified]:
        """Yield the label of each of some texts, several at a time.

        Texts are read as they are needed, so that there may be any number of them.

        Raises
        ------
        RnnlmError
            If one is not a string, or the model overflows.
        """
        for together in chunks(texts, TEXTS_TOGETHER):
            yield from self._classified([self._ids(text) for text in together])

    def _ids(self, text: str) -> list[int]:
        """Return what is read of a text; nothing where it has no tokens."""
        vocabulary = self.vocabulary
        tokens = [token for sentence in vocabulary.processor.sentences(text) for token in sentence]
        return vocabulary.encode(tokens, end=True)[:LONGEST_WINDOW] if tokens else []

    @np.errstate(all="ignore")
    def _classified(self, texts: list[list[int]]) -> Iterator[Classified]:
        """Yield the labels of texts that are read side by side."""
        lengths = np.array([len(ids) for ids in texts])
        answers: list[Classified] = [Classified(None, None, {}) for _ in texts]
        read = np.flatnonzero(lengths)
        if len(read):
            inputs = np.zeros((lengths.max(), len(read)), np.intp)
            for column, index in enumerate(read):
                inputs[: lengths[index], column] = texts[index]
            state = self.network.initial_state(len(read))
            [log_probs], _ = self.network.log_probs(inputs, state, lengths=lengths[read])
            refuse_overflow(log_probs)
            for index, row in zip(read, np.exp(log_probs), strict=True):
                answers[index] = self._answer(row)
        yield from answers

    def _answer(self, probabilities: Floats) -> Classified:
        order = np.argsort(-probabilities, kind="stable")
        by_label = {self.vocabulary.labels[k]: float(probabilities[k]) for k in order}
        label = next(iter(by_label))
        return Classified(label, by_label[label], by_label)

    def preview(self, split: Split, rng: np.random.Generator, length: int) -> str:
        """Classify one of the texts."""
        ids = split.sentence(int(rng.integers(split.num_sentences))).astype(np.intp)
        [answer] = self._classified([ids[1 : LONGEST_WINDOW + 1].tolist()])
        tokens = self.vocabulary.decode(ids[1:-1])
        shown = self.vocabulary.processor.detokenize(tokens[:length]) + (" …" if len(tokens) > length else "")
        return f"{shown} -> {answer.label} ({answer.probability:.2f})"

    @property
    def answers(self) -> Sequence[str]:
        """The labels, in the order of their ids."""
        return self.vocabulary.labels

    @property
    def guessing_accuracy(self) -> float:
        """The share of the most frequent label in the training texts."""
        counts = self.vocabulary.counts[self.vocabulary.first_label_id :]
        return max(counts) / max(1, sum(counts))

    def data_description(self) -> str:
        """Say how many words and labels there are."""
        return f"{self.vocabulary.first_label_id:,} tokens in the vocabulary, {len(self.answers):,} labels"
