"""The trained language model: network, vocabulary and text processing in one object."""

import difflib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.config import Config
from rnnlm.dataset.batches import LONGEST_WINDOW
from rnnlm.dataset.build import build_dataset
from rnnlm.dataset.split import SplitSettings
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation import Evaluation, evaluate, perplexity
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.sampling import Sampling, sample_ids
from rnnlm.text.processor import TextProcessor
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.checkpoint import load_checkpoint
from rnnlm.training.run_directory import resolve_checkpoint

DEFAULT_LENGTH = {"word": 100, "char": 500}
"""The most tokens in a sample where none is said."""


@dataclass(frozen=True)
class Sample:
    """A text that the model wrote.

    Attributes
    ----------
    text
        The seed text as it was given and what the model added.
    tokens
        The tokens that were added.
    log_prob
        Natural logarithm of the probability that the model gives what was added, the end of the sentence
        included where it was reached.
    """

    text: str
    tokens: list[str]
    log_prob: float


@dataclass(frozen=True)
class Score:
    """How likely a text is.

    Attributes
    ----------
    log_prob
        Natural logarithm of the text's probability.
    tokens
        Each predicted token, the ends of sentences included, with its log-probability. A word outside the
        vocabulary stands as itself and has the unknown token's log-probability.
    """

    log_prob: float
    tokens: list[tuple[str, float]]

    @property
    def perplexity(self) -> float:
        """``exp`` of the mean negative log-probability of a token."""
        return perplexity(-self.log_prob / len(self.tokens))


class LanguageModel:
    """A trained model.

    Attributes
    ----------
    network, vocabulary, config
        What it consists of.
    """

    def __init__(self, network: Network, vocabulary: Vocabulary, config: Config) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.config = config
        self._processor = TextProcessor(vocabulary.settings)

    @classmethod
    def load(cls, path: str | Path) -> "LanguageModel":
        """Load a run's best checkpoint, or the checkpoint directory itself.

        Raises
        ------
        RnnlmError
            If there is none, or it is damaged.
        """
        checkpoint = load_checkpoint(resolve_checkpoint(path))
        return cls(checkpoint.build_network(), checkpoint.vocabulary, checkpoint.config)

    def generate(
        self,
        seed_text: str = "",
        *,
        max_tokens: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        greedy: bool = False,
        allow_unknown: bool = False,
        seed: int | None = None,
    ) -> str:
        """Continue a text, or write a sentence where there is none; see `samples` for the parameters."""
        sampling = Sampling(temperature, top_k, top_p, greedy)
        [sample] = self.samples(
            seed_text, sampling=sampling, max_tokens=max_tokens, allow_unknown=allow_unknown, seed=seed
        )
        return sample.text

    @np.errstate(all="ignore")
    def samples(
        self,
        seed_text: str = "",
        number: int = 1,
        *,
        sampling: Sampling | None = None,
        max_tokens: int | None = None,
        allow_unknown: bool = False,
        seed: int | None = None,
    ) -> list[Sample]:
        """Write several texts at once.

        Parameters
        ----------
        seed_text
            How the texts begin. Words outside the vocabulary are read as the unknown token.
        number
            How many texts.
        sampling
            How the next token is chosen; by default from the model's own distribution.
        max_tokens
            Tokens after which a text is cut where the sentence has not ended; by default 100 words or 500
            characters.
        allow_unknown
            Whether the unknown token may be written.
        seed
            Seed of the choices; None for a different text each time. Sample i is the same for every `number`.

        Raises
        ------
        RnnlmError
            If a number is out of its range, or the model overflows.
        """
        for name, value in (("number", number), ("max_tokens", max_tokens), ("seed", seed)):
            if value is not None and value < 0:
                raise RnnlmError(f"{name} {value}: give a whole number from 0.")
        vocabulary = self.vocabulary
        seed_tokens = self._processor.tokenize(seed_text)
        forbidden = [vocabulary.start_id] + ([] if allow_unknown else [vocabulary.unknown_id])
        drawn = sample_ids(
            self.network,
            [vocabulary.start_id, *vocabulary.encode(seed_tokens)],
            end_id=vocabulary.end_id,
            forbidden=forbidden,
            max_tokens=max_tokens if max_tokens is not None else DEFAULT_LENGTH[vocabulary.settings.level],
            sampling=sampling or Sampling(),
            rngs=[np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(number)],
        )
        _refuse_overflow([sample.log_prob for sample in drawn])
        samples = []
        for ids, log_prob in ((sample.ids, sample.log_prob) for sample in drawn):
            tokens = vocabulary.decode(ids)
            samples.append(Sample(self._joined(seed_text, seed_tokens, tokens), tokens, log_prob))
        return samples

    def unknown_words(self, text: str) -> list[str]:
        """Return the tokens of a text that are not in the vocabulary, in order."""
        vocabulary = self.vocabulary
        tokens = self._processor.tokenize(text)
        read = zip(tokens, vocabulary.encode(tokens), strict=True)
        return [word for word, i in read if i == vocabulary.unknown_id and word != vocabulary.unknown_token]

    @np.errstate(all="ignore")
    def log_probs(self, ids: Sequence[int]) -> Floats:
        """Return the log-probabilities of the next token after each of some ids.

        Parameters
        ----------
        ids : (T,)
            Token ids, read from the zero state; (1, T) is taken as well.

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
        _refuse_overflow(log_probs)
        return log_probs[:, 0]

    @np.errstate(all="ignore")
    def score(self, text: str) -> Score:
        """Return how likely a text is, sentence by sentence and token by token.

        The hidden state is carried from sentence to sentence where the model was trained on a stream.

        Raises
        ------
        RnnlmError
            If there is nothing to score in the text, or the model overflows.
        """
        scored = [pair for window in self._scored_windows(text) for pair in window]
        if not scored:
            raise RnnlmError("the text has no tokens; give at least one word.")
        log_prob = sum(log_prob for _, log_prob in scored)
        _refuse_overflow(log_prob)
        return Score(log_prob, scored)

    def perplexity(self, texts: Iterable[str]) -> float:
        """Return the perplexity over all tokens of some texts.

        Raises
        ------
        RnnlmError
            If there are none, or there is nothing to score in one of them.
        """
        if isinstance(texts, str):
            raise RnnlmError("perplexity needs a list of texts; put the text in [ ].")
        scores = [self.score(text) for text in texts]
        if not scores:
            raise RnnlmError("perplexity needs at least one text.")
        return perplexity(-sum(s.log_prob for s in scores) / sum(len(s.tokens) for s in scores))

    @np.errstate(all="ignore")
    def evaluate(self, split: Split) -> Evaluation:
        """Measure the model on a part of a dataset that has the model's vocabulary.

        Raises
        ------
        RnnlmError
            If that part is empty, or the model overflows.
        """
        if split.num_tokens == 0:
            raise RnnlmError(f"the {split.name} split of the dataset is empty; choose another with --split.")
        evaluation = evaluate(self.network, split, self.config.training.batching)
        _refuse_overflow(evaluation.nats)
        return evaluation

    @contextmanager
    def text_split(self, path: str | Path) -> Iterator[Split]:
        """Process a text file (csv, jsonl or txt) as the training text was, for as long as the context lasts.

        Raises
        ------
        RnnlmError
            If the file cannot be read, or there is no text in it.
        """
        documents = "file" if self.vocabulary.settings.level == "char" else "line"
        with tempfile.TemporaryDirectory() as directory:
            out = Path(directory, "dataset")
            build_dataset(
                [str(path)],
                out,
                reader=ReaderSettings(documents=documents),
                vocabulary=self.vocabulary,
                split=SplitSettings(valid_fraction=0, test_fraction=1),
            )
            yield Dataset.open(out).test

    def dataset_split(self, path: str | Path, name: str) -> Split:
        """Open the train, valid or test part of a dataset that has the model's vocabulary.

        Raises
        ------
        RnnlmError
            If there is no such dataset or part, it is damaged, or it has another vocabulary.
        """
        dataset = Dataset.open(path)
        if dataset.vocabulary != self.vocabulary:
            raise RnnlmError(f"{path}: its vocabulary is not the model's; preprocess with --vocab, or use --text.")
        return dataset.split(name)

    def neighbors(self, word: str, number: int = 10) -> list[tuple[str, float]]:
        """Return the words nearest to a word, each with its cosine similarity, the nearest first.

        What is compared is the rows of the embedding, or for one-hot input the columns of ``U``. Special tokens
        are left out.

        Parameters
        ----------
        word
            A word of the vocabulary; its case does not matter where the vocabulary has none.
        number
            How many words.

        Raises
        ------
        RnnlmError
            If the word is not in the vocabulary, or `number` is negative.
        """
        if number < 0:
            raise RnnlmError(f"number {number}: give a whole number from 0.")
        vocabulary = self.vocabulary
        token = word.lower() if vocabulary.settings.lowercase else word
        [index] = vocabulary.encode([token])
        first = vocabulary.end_id + 1  # the special tokens come first
        if index < first:
            near = difflib.get_close_matches(token, vocabulary.tokens[first:], n=3)
            advice = (
                f"did you mean {' or '.join(map(repr, near))}?" if near else "give a word of the training text."
            )
            raise RnnlmError(f"{word!r} is not in the vocabulary; {advice}")
        vectors = self.network.embedding.weight
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[index])
        similarities = vectors @ vectors[index] / np.maximum(lengths, np.finfo(vectors.dtype).tiny)
        nearest = [i for i in np.argsort(-similarities, kind="stable") if i >= first and i != index]
        return [(vocabulary.tokens[i], float(similarities[i])) for i in nearest[:number]]

    def _scored_windows(self, text: str) -> Iterator[list[tuple[str, float]]]:
        vocabulary = self.vocabulary
        state = self.network.initial_state(1)
        for tokens in self._processor.sentences(text):
            if self.config.training.batching == "sentences":
                state = self.network.initial_state(1)
            ids = np.array([vocabulary.start_id, *vocabulary.encode(tokens), vocabulary.end_id])
            predicted = [*tokens, vocabulary.end_token]
            # A sentence may be a whole book of characters; memory stays bounded.
            for start in range(0, len(predicted), LONGEST_WINDOW):
                window = ids[start : start + LONGEST_WINDOW + 1, None]
                everywhere = np.ones((len(window) - 1, 1), bool)
                losses, state = self.network.losses(window[:-1], window[1:], everywhere, state)
                yield list(zip(predicted[start:], (-losses).tolist(), strict=False))

    def _joined(self, seed_text: str, seed_tokens: list[str], tokens: list[str]) -> str:
        """Put the seed text, as it was written, before readable text made of `tokens`."""
        whole = self._processor.detokenize([*seed_tokens, *tokens])
        begun = self._processor.detokenize(seed_tokens)
        added = whole.removeprefix(begun)
        if not whole.startswith(begun):
            # The seed's last word reads otherwise before what follows, such as a quotation mark.
            added = f" {self._processor.detokenize(tokens)}"
        if seed_text[-1:].isspace() and not begun[-1:].isspace():
            added = added.lstrip(" ")
        return seed_text + added


def _refuse_overflow(log_probs: ArrayLike) -> None:
    if not np.all(np.isfinite(log_probs)):
        raise RnnlmError(
            "the model's weights are so large that its probabilities are not finite numbers; use an earlier "
            "checkpoint, or train with a smaller optimizer.learning_rate."
        )
