"""The language model: network, vocabulary and text processing in one object."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.batches import Batches, SentenceBatches, StreamBatches
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.interpolation import Interpolation
from rnnlm.evaluation.perplexity import Evaluation, perplexity
from rnnlm.evaluation.scorer import Score, Scorer
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writer import Writer
from rnnlm.generation.writing import Sample, WritingSettings
from rnnlm.models.model import TextModel, check_vocabulary_size, vocabulary_of
from rnnlm.models.networks import make_network, restored_network
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.text.vocabulary import Vocabulary


class LanguageModel(TextModel):
    """A network that predicts the next token of a text.

    Attributes
    ----------
    writer
        Writes texts. It also searches for the most likely ones, and lists the tokens that may come next.
    scorer
        Measures texts. It also scores many side by side, and fits the weight of a mixture with another model.
    """

    task = "language_model"
    called = "language model"

    def __init__(self, network: Network, vocabulary: Vocabulary, config: Config) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.config = config
        carries_state = config.training.batching == "stream"
        self.writer = Writer(network, vocabulary, carries_state)
        self.scorer = Scorer(network, vocabulary, carries_state, config.training.bptt_steps)

    @classmethod
    def create(cls, config: Config, dataset: Dataset) -> "LanguageModel":
        """Make an untrained model with the dataset's vocabulary; see `Model.create`."""
        check_vocabulary_size(config, dataset)
        return cls(make_network(config, len(dataset.vocabulary)), dataset.vocabulary, config)

    @classmethod
    def restore(cls, checkpoint: Checkpoint) -> "LanguageModel":
        """Make the trained model of a checkpoint, which has its vocabulary; see `Model.restore`."""
        vocabulary = vocabulary_of(checkpoint)
        return cls(restored_network(checkpoint, len(vocabulary)), vocabulary, checkpoint.config)

    def generate(
        self,
        seed_text: str = "",
        *,
        max_tokens: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        greedy: bool = False,
        repetition_penalty: float = 1.0,
        min_tokens: int = 0,
        stop: Sequence[str] = (),
        allow_unknown: bool = False,
        ban: Sequence[str] = (),
        keep_stop: bool = False,
        label: str | None = None,
        seed: int | None = None,
    ) -> str:
        """Continue a text, or write a sentence where there is none.

        Parameters
        ----------
        seed_text, seed
            As for `samples`.
        temperature, top_k, top_p, greedy, repetition_penalty
            How the next token is chosen; see `SamplingSettings`.
        max_tokens, min_tokens, stop, allow_unknown, ban, keep_stop, label
            Where a text ends, what is not written, and of which label it is; see `WritingSettings`.

        Returns
        -------
        str
            The seed text and what was added to it.

        Raises
        ------
        RnnlmError
            As for `samples`, or if a stop text or a ban is empty.
        """
        sampling = SamplingSettings(temperature, top_k, top_p, greedy, repetition_penalty)
        writing = WritingSettings(sampling, max_tokens, min_tokens, stop, allow_unknown, ban, keep_stop, label)
        [sample] = self.samples(seed_text, writing=writing, seed=seed)
        return sample.text

    def samples(
        self,
        seed_text: str = "",
        number: int = 1,
        *,
        writing: WritingSettings | None = None,
        seed: int | None = None,
    ) -> list[Sample]:
        """Draw several texts side by side; see `Writer.samples`."""
        return self.writer.samples(seed_text, number, writing=writing, seed=seed)

    def stream(
        self, seed_text: str = "", *, writing: WritingSettings | None = None, seed: int | None = None
    ) -> Iterator[str]:
        """Draw a text piece by piece, the seed text first; see `Writer.stream`."""
        return self.writer.stream(seed_text, writing=writing, seed=seed)

    @np.errstate(all="ignore")
    def log_probs(self, ids: Sequence[int]) -> Floats:
        """Return the log-probabilities of the next token after each of some ids.

        Parameters
        ----------
        ids : (T,)
            Token ids, read from the zero state; (1, T) is taken as well. A sentence begins with the start token:
            ``vocabulary.encode(tokens, start=True)``, or where the model has labels with that of its label:
            ``[vocabulary.label_start(label), *vocabulary.encode(tokens)]``.

        Returns
        -------
        (T, V)
            Natural logarithms.

        Raises
        ------
        RnnlmError
            If there are no ids, one is not in the vocabulary, or the model overflows.
        """
        try:
            array = np.asarray(ids)
        except ValueError:  # a ragged list
            array = np.empty(0)
        if array.ndim == 2 and len(array) == 1:
            array = array[0]
        if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
            raise RnnlmError("log_probs needs one non-empty sequence of token ids.")
        if array.min() < 0 or array.max() >= len(self.vocabulary):
            raise RnnlmError(f"log_probs: ids go from 0 to {len(self.vocabulary) - 1}.")
        log_probs, _ = self.network.log_probs(array[:, None], self.network.initial_state(1))
        refuse_overflow(log_probs)
        return log_probs[:, 0]

    def score(self, text: str, *, label: str | None = None) -> Score:
        """Return how likely a text is, sentence by sentence and token by token.

        The hidden state is carried from sentence to sentence where the model was trained on a stream. A model that
        has labels says how likely the text is among those of its `label`, which it needs to know.

        Raises
        ------
        RnnlmError
            If there is nothing to score in the text, the model overflows, or the label is not one of its own.
        """
        [score] = self.scorer.scores([text], label=label)
        if not score.tokens:
            raise RnnlmError("The text has no tokens; give at least one word.")
        return score

    def perplexity(self, texts: Iterable[str], *, label: str | None = None) -> float:
        """Return the perplexity over all tokens of some texts, of one label where the model has labels.

        Raises
        ------
        RnnlmError
            If there are none, there is nothing to score in one of them, or the label is not one of the model's.
        """
        nats, tokens = 0.0, 0
        for number, score in enumerate(self.scorer.scores(texts, label=label), start=1):
            if not score.tokens:
                raise RnnlmError(f"Text {number} has no tokens; give at least one word, or leave it out.")
            nats -= score.log_prob
            tokens += len(score.tokens)
        if not tokens:
            raise RnnlmError("perplexity needs at least one text.")
        return perplexity(nats / tokens)

    def evaluate(
        self,
        split: Split,
        *,
        dynamic: float | None = None,
        interpolation: Interpolation | None = None,
        watch: Callable[[], None] = lambda: None,
        share: Share = ALL,
    ) -> Evaluation:
        """Measure the model on a part of a dataset that has the model's vocabulary; see `Scorer.evaluate`."""
        return self.scorer.evaluate(split, dynamic=dynamic, interpolation=interpolation, watch=watch, share=share)

    def batches(self, split: Split) -> Batches:
        """Return sentences, or windows of a stream, as the configuration says."""
        training = self.config.training
        if training.batching == "stream":
            return StreamBatches(split, training.batch_size, training.bptt_steps)
        return SentenceBatches(split, training.batch_size, training.seed)

    def preview(self, split: Split, rng: np.random.Generator, length: int) -> str:
        """Write a text of at most `length` tokens."""
        [sample] = self.writer.draw("", WritingSettings(max_tokens=length), [rng])
        return sample.text

    @property
    def answers(self) -> Sequence[str]:
        """All tokens, in the order of their ids."""
        return self.vocabulary.tokens

    def data_description(self) -> str:
        """Say how large the vocabulary is."""
        return f"{len(self.vocabulary):,} tokens in the vocabulary"
