"""The trained language model: network, vocabulary and text processing in one object."""

import difflib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.split import SplitSettings
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError, shown
from rnnlm.evaluation.interpolation import Interpolation, Predictor, fit_weight
from rnnlm.evaluation.perplexity import Evaluation, perplexity
from rnnlm.evaluation.scoring import Losses, dynamic_losses, losses, readings, split_losses
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.generation.sampling import Sampling
from rnnlm.generation.writing import Sample, Writer, Writing
from rnnlm.models.networks import restored_network
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.network import Network
from rnnlm.storage.run_directory import read_checkpoint
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.report import ReadReport
from rnnlm.text.vocabulary import Vocabulary

CHUNK_CHARACTERS = 1 << 17
"""Scoring side by side takes no more texts when they have more characters than this."""

TEXTS_TOGETHER = 64
"""Most texts that are scored side by side."""


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
    unknown_tokens
        How many of them are predicted as the unknown token.
    """

    log_prob: float
    tokens: list[tuple[str, float]]
    unknown_tokens: int

    @property
    def perplexity(self) -> float | None:
        """``exp`` of the mean negative log-probability of a token; None where there are none."""
        return perplexity(-self.log_prob / len(self.tokens)) if self.tokens else None


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
        self._processor = vocabulary.processor()
        carries_state = config.training.batching == "stream"
        self._writer = Writer(network, vocabulary, self._processor, carries_state)

    @classmethod
    def load(cls, path: str | Path) -> "LanguageModel":
        """Load a run's best checkpoint, or the checkpoint directory itself.

        Raises
        ------
        RnnlmError
            If there is none, or it is damaged.
        """
        checkpoint = read_checkpoint(path)
        return cls(restored_network(checkpoint), checkpoint.vocabulary, checkpoint.config)

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
        seed: int | None = None,
    ) -> str:
        """Continue a text, or write a sentence where there is none.

        The parameters are those of `Sampling` and `Writing`, and of `samples`.
        """
        sampling = Sampling(temperature, top_k, top_p, greedy, repetition_penalty)
        writing = Writing(sampling, max_tokens, min_tokens, stop, allow_unknown, ban, keep_stop)
        [sample] = self.samples(seed_text, writing=writing, seed=seed)
        return sample.text

    def samples(
        self, seed_text: str = "", number: int = 1, *, writing: Writing | None = None, seed: int | None = None
    ) -> list[Sample]:
        """Write several texts at once.

        Parameters
        ----------
        seed_text
            How the texts begin. Words outside the vocabulary are read as the unknown token.
        number
            How many texts.
        writing
            How they are written; None for the default.
        seed
            Seed of the choices; None for a different text each time. Sample i is the same for every `number`.

        Raises
        ------
        RnnlmError
            If a number is out of its range, the model overflows, or all that could be written is banned.
        """
        return self._writer.samples(seed_text, number, writing or Writing(), seed)

    def stream(
        self, seed_text: str = "", *, writing: Writing | None = None, seed: int | None = None
    ) -> Iterator[str]:
        """Write a text piece by piece, the seed text first.

        The pieces together are the text of the first of `samples` for the same parameters, which are explained
        there. A piece comes as soon as no later token can change it: with words, one token late.

        Raises
        ------
        RnnlmError
            If a number is out of its range, or every word is banned; where pieces are taken, if the model
            overflows, or all that could follow is banned.
        """
        return self._writer.stream(seed_text, writing or Writing(), seed)

    def beam_search(
        self,
        seed_text: str = "",
        width: int = 5,
        *,
        max_tokens: int | None = None,
        min_tokens: int = 0,
        allow_unknown: bool = False,
        ban: Sequence[str] = (),
    ) -> list[Sample]:
        """Search for the most likely continuations of a text; see `rnnlm.generation.beam_search.beam_search`.

        They are ordered by `log_prob`, in which every token counts: short sentences win, unless `min_tokens`
        forbids them.

        Parameters
        ----------
        seed_text
            As in `samples`.
        width
            How many hypotheses are kept at each step, and at most returned.
        max_tokens, min_tokens, allow_unknown, ban
            As in `Writing`.

        Raises
        ------
        RnnlmError
            If a number is out of its range, the model overflows, or all that could be written is banned.
        """
        limits = Writing(max_tokens=max_tokens, min_tokens=min_tokens, allow_unknown=allow_unknown, ban=ban)
        return self._writer.beam_search(seed_text, width, limits)

    def next_tokens(
        self, text: str, number: int = 10, *, allow_unknown: bool = False, writing: Writing | None = None
    ) -> list[tuple[str, float]]:
        """Return the tokens most likely to follow a text, the end of the sentence included.

        Parameters
        ----------
        text
            What the model has read.
        number
            How many tokens.
        allow_unknown
            Whether the unknown token may be among them; with `writing`, that says so.
        writing
            The way of writing whose choices are listed: the probabilities are those with which the next token is
            drawn. None for the model's own probabilities.

        Returns
        -------
        list of (str, float)
            Each token and its probability, the most likely first.

        Raises
        ------
        RnnlmError
            If `number` is negative, the model overflows, or all that could follow is banned.
        """
        return self._writer.next_tokens(text, number, allow_unknown, writing)

    def can_write(self, text: str) -> bool:
        """Return whether all tokens of a text are in the vocabulary, so that to ban it makes a difference.

        Raises
        ------
        RnnlmError
            If there is nothing in the text.
        """
        return self._writer.can_write(text)

    def followed_by(self, text: str, token: str) -> str:
        """Return a text with a token after it, attached as in readable text."""
        return self._writer.followed_by(text, token)

    def unknown_words(self, text: str) -> list[str]:
        """Return the tokens of a text that are not in the vocabulary, in order."""
        vocabulary = self.vocabulary
        tokens = [token for words in self._processor.sentences(text) for token in words]
        read = zip(tokens, vocabulary.encode(tokens), strict=True)
        return [word for word, i in read if i == vocabulary.unknown_id and word != vocabulary.unknown_token]

    @np.errstate(all="ignore")
    def log_probs(self, ids: Sequence[int]) -> Floats:
        """Return the log-probabilities of the next token after each of some ids.

        Parameters
        ----------
        ids : (T,)
            Token ids, read from the zero state; (1, T) is taken as well. A sentence begins with the start token:
            ``vocabulary.encode(tokens, start=True)``.

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

    @np.errstate(all="ignore")
    def score(self, text: str) -> Score:
        """Return how likely a text is, sentence by sentence and token by token.

        The hidden state is carried from sentence to sentence where the model was trained on a stream.

        Raises
        ------
        RnnlmError
            If there is nothing to score in the text, or the model overflows.
        """
        [score] = self.scores([text])
        if not score.tokens:
            raise RnnlmError("the text has no tokens; give at least one word.")
        return score

    def scores(
        self,
        texts: Iterable[str],
        *,
        batch_size: int = TEXTS_TOGETHER,
        interpolation: Interpolation | None = None,
        one_sentence: bool = False,
    ) -> Iterator[Score]:
        """Yield how likely each of some texts is, as `score` does, several at a time.

        Texts are read as they are needed, so that there may be any number of them.

        Parameters
        ----------
        texts
            The texts; for one without tokens the score is 0.
        batch_size
            How many texts are read at once, so that they can be scored side by side.
        interpolation
            Another model to mix with this one.
        one_sentence
            Whether a text is taken for one sentence, even where it is empty or looks like several.
        """
        for together in _chunks(texts, batch_size):
            if one_sentence:
                sentences = [[self._processor.tokenize(text)] for text in together]
            else:
                sentences = [list(self._processor.sentences(text)) for text in together]
            each = [self._ids(of_text) for of_text in sentences]
            ids = np.concatenate(each)
            begins = np.cumsum([0, *map(len, each)])
            batching = self.config.training.batching
            parts = [readings(each[k], batching) + np.array([begins[k], 0]) for k in range(len(each))]
            log_probs = np.empty(len(ids))
            with np.errstate(all="ignore"):
                for at, nats in _mixed(losses(self.network, ids, np.concatenate(parts)), ids, interpolation):
                    log_probs[at] = -nats
            for k, of_text in enumerate(sentences):
                predicted = begins[k] + np.flatnonzero(each[k] != Vocabulary.start_id)
                yield Score(
                    float(log_probs[predicted].sum()),
                    list(zip(self._predicted(of_text), log_probs[predicted].tolist(), strict=True)),
                    int(np.count_nonzero(ids[predicted] == Vocabulary.unknown_id)),
                )

    def perplexity(self, texts: Iterable[str]) -> float:
        """Return the perplexity over all tokens of some texts.

        Raises
        ------
        RnnlmError
            If there are none, or there is nothing to score in one of them.
        """
        if isinstance(texts, str):
            raise RnnlmError("perplexity needs a list of texts; put the text in [ ].")
        nats, tokens = 0.0, 0
        for number, score in enumerate(self.scores(texts), start=1):
            if not score.tokens:
                raise RnnlmError(f"text {number} has no tokens; give at least one word, or leave it out.")
            nats -= score.log_prob
            tokens += len(score.tokens)
        if not tokens:
            raise RnnlmError("perplexity needs at least one text.")
        return perplexity(nats / tokens)

    @np.errstate(all="ignore")
    def evaluate(
        self, split: Split, *, dynamic: float | None = None, interpolation: Interpolation | None = None
    ) -> Evaluation:
        """Measure the model on a part of a dataset that has the model's vocabulary.

        Parameters
        ----------
        split
            The part.
        dynamic
            Learning rate with which the model goes on learning from the text while it is measured (see
            `dynamic_losses`), in windows of the training's ``bptt_steps``; None to leave it as it is. Afterwards
            it is as before.
        interpolation
            Another model to mix with this one.

        Raises
        ------
        RnnlmError
            If that part is empty, or the model overflows, or diverges while it learns.
        """
        with self._split_losses(split, dynamic, interpolation) as of_split:
            return Evaluation.of(of_split, split)

    @np.errstate(all="ignore")
    def fit_weight(self, other: Predictor, split: Split, *, dynamic: float | None = None) -> float:
        """Return this model's weight in the mixture with another that gives a text the highest probability.

        Parameters
        ----------
        other
            The other model.
        split
            The text; not the one on which the mixture is measured.
        dynamic
            As for `evaluate`.

        Raises
        ------
        RnnlmError
            As for `evaluate`.
        """
        of_other = other.of_text(np.asarray(split.ids))
        first, second = np.empty((2, split.num_tokens))
        done = 0
        with self._split_losses(split, dynamic) as of_split:
            for at, nats in of_split:
                window = slice(done, done := done + len(at))
                first[window], second[window] = -nats, of_other(at)
        return fit_weight(first, second)

    @contextmanager
    def text_split(
        self, path: str | Path, reader: ReaderSettings | None = None, report: ReadReport | None = None
    ) -> Iterator[Split]:
        """Process a text file of any format as the training text was, for as long as the context lasts.

        Parameters
        ----------
        path
            The file.
        reader
            How it is read.
        report
            Gathers how that was, and what was repaired or left out.

        Raises
        ------
        RnnlmError
            If the file cannot be read, or there is no text in it.
        """
        with tempfile.TemporaryDirectory() as directory:
            out = Path(directory, "dataset")
            build_dataset(
                [str(path)],
                out,
                reader=reader,
                vocabulary=self.vocabulary,
                split=SplitSettings(valid_fraction=0, test_fraction=1),
                report=report,
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
        index = vocabulary.find(word)
        first = vocabulary.first_word_id
        if index < first:
            words = map(vocabulary.visible, vocabulary.tokens[first:])
            near = difflib.get_close_matches(word.lower() if vocabulary.settings.lowercase else word, words, n=3)
            advice = (
                f"did you mean {' or '.join(map(repr, near))}?" if near else "give a word of the training text."
            )
            raise RnnlmError(f"{word!r} is not in the vocabulary; {advice}")
        vectors = self.network.source.table.value
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[index])
        similarities = vectors @ vectors[index] / np.maximum(lengths, np.finfo(vectors.dtype).tiny)
        nearest = [i for i in np.argsort(-similarities, kind="stable") if i >= first and i != index]
        return [(vocabulary.tokens[i], float(similarities[i])) for i in nearest[:number]]

    @contextmanager
    def _split_losses(
        self, split: Split, dynamic: float | None, interpolation: Interpolation | None = None
    ) -> Iterator[Iterator[Losses]]:
        """Measure a split window by window; after the context the weights are as before."""
        if split.num_tokens == 0:
            raise RnnlmError(f"the {split.name} split of the dataset is empty; choose another with --split.")
        training, parameters = self.config.training, self.network.parameters
        saved = {} if dynamic is None else {name: value.copy() for name, value in parameters.items()}
        try:
            ids = np.asarray(split.ids)
            if dynamic is None:
                of_network = split_losses(self.network, split, training.batching)
            else:
                parts = readings(ids, training.batching)
                of_network = dynamic_losses(self.network, ids, parts, dynamic, training.bptt_steps)
            yield _mixed(of_network, ids, interpolation)
        finally:
            for name, value in saved.items():
                parameters[name][...] = value

    def _ids(self, sentences: list[list[str]]) -> Ids:
        """Return the ids of sentences, each ``START w1 … wn END``."""
        start, end, encode = Vocabulary.start_id, Vocabulary.end_id, self.vocabulary.encode
        return np.array([i for words in sentences for i in (start, *encode(words), end)], np.intp)

    def _predicted(self, sentences: list[list[str]]) -> list[str]:
        """Return the words of sentences, each followed by its end."""
        return [token for words in sentences for token in (*words, self.vocabulary.end_token)]


def _chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield texts in lists of `size`, or fewer where they are long; what was read before an error comes first."""
    chunk: list[str] = []
    characters = 0
    try:
        for text in texts:
            if not isinstance(text, str):
                raise RnnlmError(f"a text to score must be a string, not {shown(text)}.")
            chunk.append(text)
            characters += len(text)
            if len(chunk) == size or characters > CHUNK_CHARACTERS:
                yield chunk
                chunk, characters = [], 0
    except RnnlmError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _mixed(of_network: Iterable[Losses], ids: Ids, interpolation: Interpolation | None) -> Iterator[Losses]:
    """Mix a network's losses of a text with those of another model, if there is one."""

    def finite() -> Iterator[Losses]:
        for at, nats in of_network:
            refuse_overflow(nats)
            yield at, nats

    return finite() if interpolation is None else interpolation.losses(finite(), ids)
