"""Texts that a model writes: drawn at random, as they come, or the most likely ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from rnnlm.errors import RnnlmError, shown
from rnnlm.generation.bans import Bans, Phrase, Spellings, nothing_left
from rnnlm.generation.beam_search import beam_search
from rnnlm.generation.sampler import SampledIds, Sampler, refuse_overflow, sample_ids, stream_ids
from rnnlm.generation.sampling import Sampling
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import read_prompt
from rnnlm.text.continuation import Continuation
from rnnlm.text.processor import TextProcessor
from rnnlm.text.vocabulary import Vocabulary

DEFAULT_LENGTH = {"word": 100, "char": 500}
"""The most tokens in a text where none is said."""


@dataclass(frozen=True)
class Writing:
    """How a text is written.

    Attributes
    ----------
    sampling
        How the next token is chosen; by default from the model's own distribution.
    max_tokens
        Tokens after which a text is cut where the sentence has not ended; None for 100 words or 500 characters.
    min_tokens
        Tokens before which the end of the sentence is not chosen. A stop text ends it all the same.
    stop
        Texts before which a text ends as soon as one stands in what was added to the seed text. A sample is made
        of whole tokens, so one in which the stop text begins is left out.
    allow_unknown
        Whether the unknown token may be written.
    ban
        Words that are never written, or phrases: their tokens in a row, which may begin in the seed text. For a
        model of characters or of parts of words they are not written within other words either.
    keep_stop
        Whether a text ends after the stop text instead. The token in which that ends is kept whole.

    Raises
    ------
    RnnlmError
        If a number is out of its range, or a stop text or a ban is empty.
    """

    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    min_tokens: int = 0
    stop: Sequence[str] = ()
    allow_unknown: bool = False
    ban: Sequence[str] = ()
    keep_stop: bool = False

    def __post_init__(self) -> None:
        for name, value in (("max_tokens", self.max_tokens), ("min_tokens", self.min_tokens)):
            if value is not None and value < 0:
                raise RnnlmError(f"{name} {value}: give a whole number from 0.")
        for name, texts in (("stop", self.stop), ("ban", self.ban)):
            if isinstance(texts, str):
                raise RnnlmError(f"{name} needs a list of texts; put the text in [ ].")
            if "" in texts:
                raise RnnlmError(f"{name} '': give at least one character.")

    def longest(self, level: str) -> int:
        """Return the most tokens of a text of words or characters.

        Raises
        ------
        RnnlmError
            If that is below `min_tokens`.
        """
        longest = DEFAULT_LENGTH[level] if self.max_tokens is None else self.max_tokens
        if self.min_tokens > longest:
            raise RnnlmError(f"min_tokens {self.min_tokens}: it is above max_tokens, {longest}; raise that too.")
        return longest


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


class Writer:
    """Continues texts with a network; `LanguageModel` explains the methods.

    Parameters
    ----------
    network, vocabulary, processor
        What the model consists of.
    carries_state
        Whether the network reads a sentence after the one before, as it was trained on a stream, and not from the
        zero state.
    """

    def __init__(
        self, network: Network, vocabulary: Vocabulary, processor: TextProcessor, carries_state: bool
    ) -> None:
        self._network, self._vocabulary, self._processor = network, vocabulary, processor
        self._carries_state = carries_state
        self._spellings = Spellings(vocabulary, processor)

    def samples(self, seed_text: str, number: int, writing: Writing, seed: int | None) -> list[Sample]:
        """Draw several texts side by side."""
        if number < 0:
            raise RnnlmError(f"number {number}: give a whole number from 0.")
        prompt, seed_tokens = self._beginning(seed_text)
        texts = [self._continuation(seed_text, seed_tokens, writing) for _ in range(number)]

        def kept(sample: int, index: int) -> int | None:
            """Return how many tokens of a sample remain if a stop text ends it here."""
            text = texts[sample]
            text.append(self._vocabulary.tokens[index])
            return len(text.tokens) if text.stopped else None

        drawn = sample_ids(
            self._sampler(prompt, writing, self._phrases(writing), _generators(seed, number)),
            writing.longest(self._vocabulary.settings.level),
            kept if writing.stop else None,
        )
        return self._readable(seed_text, seed_tokens, drawn)

    def stream(self, seed_text: str, writing: Writing, seed: int | None) -> Iterator[str]:
        """Draw a text, and give it out piece by piece."""
        max_tokens = writing.longest(self._vocabulary.settings.level)
        return self._pieces(seed_text, writing, max_tokens, self._phrases(writing), _generators(seed, 1))

    def beam_search(self, seed_text: str, width: int, writing: Writing) -> list[Sample]:
        """Search for the most likely texts."""
        prompt, seed_tokens = self._beginning(seed_text)
        found = beam_search(
            self._network,
            prompt,
            width,
            end_id=self._vocabulary.end_id,
            forbidden=self._forbidden(writing.allow_unknown),
            max_tokens=writing.longest(self._vocabulary.settings.level),
            min_tokens=writing.min_tokens,
            phrases=self._phrases(writing),
        )
        return self._readable(seed_text, seed_tokens, found)

    @np.errstate(all="ignore")
    def next_tokens(
        self, text: str, number: int, allow_unknown: bool, writing: Writing | None
    ) -> list[tuple[str, float]]:
        """List the tokens most likely to follow a text, with their probabilities."""
        if number < 0:
            raise RnnlmError(f"number {number}: give a whole number from 0.")
        prompt, _ = self._beginning(text)
        if writing is None:
            log_probs, _ = read_prompt(self._network, prompt)
            refuse_overflow(log_probs)
            [row] = Bans(self._network, self._forbidden(allow_unknown)).applied(log_probs, [prompt])
        else:
            [row] = np.log(
                self._sampler(prompt, writing, self._phrases(writing), _generators(0, 1)).probabilities()
            )
        likeliest = [i for i in np.argsort(-row, kind="stable")[:number] if row[i] > -np.inf]
        return [(self._vocabulary.tokens[i], float(np.exp(row[i]))) for i in likeliest]

    def can_write(self, text: str) -> bool:
        """Return whether the tokens of a text are in the vocabulary."""
        return bool(self._spellings.phrases(text))

    def followed_by(self, text: str, token: str) -> str:
        """Return a text with a token after it."""
        _, tokens = self._beginning(text)
        return Continuation(self._processor, text, tokens, [token]).text

    def _pieces(
        self,
        seed_text: str,
        writing: Writing,
        max_tokens: int,
        phrases: list[Phrase],
        rngs: list[np.random.Generator],
    ) -> Iterator[str]:
        """Yield the seed text, and what is added to it as far as it is settled, in pieces that are not empty."""
        if seed_text:
            yield seed_text
        prompt, seed_tokens = self._beginning(seed_text)
        text = self._continuation(seed_text, seed_tokens, writing)
        # It begins here and not before: the network may have served others until now.
        sampler = self._sampler(prompt, writing, phrases, rngs)
        shown = 0
        for index in stream_ids(sampler, max_tokens):
            text.append(self._vocabulary.tokens[index])
            if text.stopped:
                break
            piece = text.settled[shown:]
            if piece:
                shown += len(piece)
                yield piece
        if len(text.added) > shown:
            yield text.added[shown:]

    def _continuation(self, seed_text: str, seed_tokens: list[str], writing: Writing) -> Continuation:
        return Continuation(
            self._processor, seed_text, seed_tokens, stop=writing.stop, keep_stop=writing.keep_stop
        )

    def _sampler(
        self, prompt: list[int], writing: Writing, phrases: list[Phrase], rngs: list[np.random.Generator]
    ) -> Sampler:
        return Sampler(
            self._network,
            prompt,
            end_id=self._vocabulary.end_id,
            forbidden=self._forbidden(writing.allow_unknown),
            sampling=writing.sampling,
            rngs=rngs,
            min_tokens=writing.min_tokens,
            phrases=phrases,
        )

    def _beginning(self, seed_text: str) -> tuple[list[int], list[str]]:
        """Return the ids that are read before a text goes on, and the tokens of the sentence that does."""
        if not isinstance(seed_text, str):
            raise RnnlmError(f"the text to go on from must be a string, not {shown(seed_text)}.")
        sentences = list(self._processor.sentences(seed_text)) or [[]]
        read = sentences if self._carries_state else sentences[-1:]
        start, encode = self._vocabulary.start_id, self._vocabulary.encode
        return [i for words in read for i in (start, *encode(words))], sentences[-1]

    def _forbidden(self, allow_unknown: bool) -> list[int]:
        """Return the ids that are not written."""
        vocabulary = self._vocabulary
        return [vocabulary.start_id] + ([] if allow_unknown else [vocabulary.unknown_id])

    def _phrases(self, writing: Writing) -> list[Phrase]:
        """Return the tokens that are banned, and refuse to write without any."""
        phrases = [phrase for text in writing.ban for phrase in self._spellings.phrases(text)]
        words = {i for phrase in phrases if len(phrase) == 1 for i in phrase[0]}
        left = len(self._vocabulary) - len(words.union(self._forbidden(writing.allow_unknown)))
        if words and left == 1:  # the end of the sentence
            raise nothing_left()
        return phrases

    def _readable(self, seed_text: str, seed_tokens: list[str], drawn: list[SampledIds]) -> list[Sample]:
        """Turn ids into texts."""
        samples = []
        for sample in drawn:
            tokens = self._vocabulary.decode(sample.ids)
            text = Continuation(self._processor, seed_text, seed_tokens, tokens).text
            samples.append(Sample(text, tokens, sample.log_prob))
        return samples


def _generators(seed: int | None, number: int) -> list[np.random.Generator]:
    """Return a source of randomness for each of several samples; the i-th is the same for every number."""
    if seed is not None and seed < 0:
        raise RnnlmError(f"seed {seed}: give a whole number from 0.")
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(number)]
