"""Texts that a network writes: drawn at random, as they come, or the most likely ones."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.generation.bans import Bans, Spellings, nothing_left
from rnnlm.generation.beam_search import beam_search
from rnnlm.generation.sampler import Sampler, refuse_overflow, sample_ids, stream_ids
from rnnlm.generation.seed_text import SeedText
from rnnlm.generation.writing import Sample, WritingSettings
from rnnlm.nn.network import Network
from rnnlm.nn.stepping import read_prompt
from rnnlm.text.vocabulary import Vocabulary


class Writer:
    """Continues texts.

    Parameters
    ----------
    network, vocabulary
        What the model consists of.
    carries_state
        Whether the network reads a sentence from the state in which the one before it has ended, as it was trained
        on a stream, and not from the zero state.
    """

    def __init__(self, network: Network, vocabulary: Vocabulary, carries_state: bool) -> None:
        self.vocabulary = vocabulary
        self._network, self._carries_state = network, carries_state
        self._spellings = Spellings(vocabulary)

    def seed_text(self, text: str) -> SeedText:
        """Return a text as it is continued."""
        return SeedText(text, self.vocabulary, self._carries_state)

    def samples(
        self,
        seed_text: str = "",
        number: int = 1,
        *,
        writing: WritingSettings | None = None,
        seed: int | None = None,
    ) -> list[Sample]:
        """Draw several texts side by side.

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
            If a number is out of its range, the model overflows or has no such label, or all that could be written
            is banned.
        """
        if number < 0:
            raise RnnlmError(f"number {number}: give a whole number from 0.")
        return self.draw(seed_text, writing or WritingSettings(), _generators(seed, number))

    @np.errstate(all="ignore")
    def draw(self, seed_text: str, writing: WritingSettings, rngs: list[np.random.Generator]) -> list[Sample]:
        """Draw a text from each of several sources of randomness; see `samples`."""
        labels = [self._label(writing, rng) for rng in rngs]
        samples: dict[int, Sample] = {}
        for label in dict.fromkeys(labels):
            alike = [i for i, each in enumerate(labels) if each == label]
            drawn = self._draw(seed_text, replace(writing, label=label), [rngs[i] for i in alike])
            samples |= zip(alike, drawn, strict=True)
        return [samples[i] for i in range(len(rngs))]

    def _draw(self, seed_text: str, writing: WritingSettings, rngs: list[np.random.Generator]) -> list[Sample]:
        """Draw texts of one label."""
        beginning = self.seed_text(seed_text)
        texts = [beginning.continued(stop=writing.stop, keep_stop=writing.keep_stop) for _ in rngs]

        def kept(sample: int, index: int) -> int | None:
            """Return how many tokens of a sample remain if a stop text ends it here."""
            text = texts[sample]
            text.append(self.vocabulary.tokens[index])
            return len(text.tokens) if text.stopped else None

        sampler = self._sampler(beginning.ids(writing.label), writing, rngs)
        drawn = sample_ids(sampler, self._longest(writing), kept if writing.stop else None)
        return [beginning.sample(each, writing.label) for each in drawn]

    def first_label(self, writing: WritingSettings, seed: int | None) -> str | None:
        """Return the label of the first of `samples`, which is that of a `stream`; None if the model has none.

        Raises
        ------
        RnnlmError
            If the model has no such label.
        """
        [rng] = _generators(seed, 1)
        label = self._label(writing, rng)
        self.vocabulary.label_start(label)
        return label

    def _label(self, writing: WritingSettings, rng: np.random.Generator) -> str | None:
        """Return the label that is given, else draw one in proportion to the sentences that had it in training."""
        vocabulary = self.vocabulary
        if writing.label is not None or not vocabulary.labels:
            return writing.label
        counts = np.cumsum(list(vocabulary.label_counts.values()))
        # From a source of its own, so that a text is the same whether its label is drawn or given.
        [source] = rng.spawn(1)
        drawn = int(np.searchsorted(counts, source.random() * counts[-1], side="right"))
        return vocabulary.labels[min(drawn, len(counts) - 1)]

    def stream(
        self, seed_text: str = "", *, writing: WritingSettings | None = None, seed: int | None = None
    ) -> Iterator[str]:
        """Draw a text piece by piece, the seed text first.

        The pieces together are the text of the first of `samples` for the same parameters. A piece comes as soon
        as no later token can change it: with words, one token late. Numbers that are out of their range, an
        unknown label, and a ban of every word, are refused at once; other errors come where pieces are taken.
        """
        writing = writing or WritingSettings()
        # These refuse what makes no sense, here and not where the first piece is taken.
        self._longest(writing)
        self._bans(writing)
        rngs = _generators(seed, 1)
        writing = replace(writing, label=self._label(writing, rngs[0]))
        self.vocabulary.label_start(writing.label)
        return self._pieces(seed_text, writing, rngs)

    @np.errstate(all="ignore")
    def beam_search(
        self, seed_text: str = "", width: int = 5, *, writing: WritingSettings | None = None
    ) -> list[Sample]:
        """Search for the most likely continuations of a text; see `rnnlm.generation.beam_search.beam_search`.

        They are ordered by `log_prob`, in which every token counts: short sentences win, unless `min_tokens`
        forbids them. Nothing is drawn, and stop texts have no effect. The other parameters and the errors are
        those of `samples`.

        Parameters
        ----------
        width
            How many hypotheses are kept at each step, and at most returned.
        """
        writing = writing or WritingSettings()
        beginning = self.seed_text(seed_text)
        found = beam_search(
            self._network,
            beginning.ids(writing.label),
            width,
            bans=self._bans(writing),
            max_tokens=self._longest(writing),
            min_tokens=writing.min_tokens,
        )
        return [beginning.sample(each, writing.label) for each in found]

    @np.errstate(all="ignore")
    def next_tokens(
        self,
        text: str,
        number: int = 10,
        *,
        allow_unknown: bool = False,
        writing: WritingSettings | None = None,
        label: str | None = None,
    ) -> list[tuple[str, float]]:
        """Return the tokens most likely to follow a text with their probabilities, the most likely first.

        The end of the sentence is one of them.

        Parameters
        ----------
        allow_unknown
            Whether the unknown token may be among them; with `writing`, that says so.
        writing
            The way of writing whose choices are listed: the probabilities are those with which the next token is
            drawn. None for the model's own probabilities.
        label
            The label of the text, for a model that has labels; with `writing`, that says so.

        Raises
        ------
        RnnlmError
            If `number` is negative, the model overflows, or all that could follow is banned.
        """
        if number < 0:
            raise RnnlmError(f"number {number}: give a whole number from 0.")
        prompt = self.seed_text(text).ids(label if writing is None else writing.label)
        if writing is None:
            log_probs, _ = read_prompt(self._network, prompt)
            refuse_overflow(log_probs)
            [row] = self._bans(WritingSettings(allow_unknown=allow_unknown)).applied(log_probs, [prompt])
        else:
            sampler = self._sampler(prompt, writing, _generators(0, 1))
            [row] = np.log(sampler.probabilities())
        likeliest = [i for i in np.argsort(-row, kind="stable")[:number] if row[i] > -np.inf]
        return [(self.vocabulary.tokens[i], float(np.exp(row[i]))) for i in likeliest]

    def can_write(self, text: str) -> bool:
        """Return whether all tokens of a text are in the vocabulary, so that to ban it makes a difference.

        Raises
        ------
        RnnlmError
            If there is nothing in the text.
        """
        return bool(self._spellings.phrases(text))

    def _pieces(self, seed_text: str, writing: WritingSettings, rngs: list[np.random.Generator]) -> Iterator[str]:
        """Yield the seed text, and what is added to it as far as it is settled, in pieces that are not empty."""
        if seed_text:
            yield seed_text
        beginning = self.seed_text(seed_text)
        text = beginning.continued(stop=writing.stop, keep_stop=writing.keep_stop)
        # It begins here and not before: the network may have served others until now.
        with np.errstate(all="ignore"):
            sampler = self._sampler(beginning.ids(writing.label), writing, rngs)
        shown = 0
        for index in stream_ids(sampler, self._longest(writing)):
            text.append(self.vocabulary.tokens[index])
            if text.stopped:
                break
            piece = text.settled[shown:]
            if piece:
                shown += len(piece)
                yield piece
        if len(text.added) > shown:
            yield text.added[shown:]

    def _sampler(self, prompt: list[int], writing: WritingSettings, rngs: list[np.random.Generator]) -> Sampler:
        return Sampler(self._network, prompt, writing, self._bans(writing), rngs)

    def _longest(self, writing: WritingSettings) -> int:
        return writing.longest(self.vocabulary.settings.level)

    def _bans(self, writing: WritingSettings) -> Bans:
        """Return what is not written, and refuse to write without any word."""
        vocabulary = self.vocabulary
        forbidden = set(vocabulary.start_ids) | (set() if writing.allow_unknown else {vocabulary.unknown_id})
        phrases = [phrase for text in writing.ban for phrase in self._spellings.phrases(text)]
        words = {i for phrase in phrases if len(phrase) == 1 for i in phrase[0]}
        if words and len(vocabulary) - len(words | forbidden) == 1:  # the end of the sentence
            raise nothing_left()
        return Bans(self._network, forbidden, phrases)


def _generators(seed: int | None, number: int) -> list[np.random.Generator]:
    """Return a source of randomness for each of several samples; the i-th is the same for every number."""
    if seed is not None and seed < 0:
        raise RnnlmError(f"`seed` {seed}: give a whole number from 0.")
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(number)]
