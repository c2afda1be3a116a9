"""The translator: one text from another."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.batches import LONGEST_WINDOW, PairBatches
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.bleu import corpus_bleu, reference_texts
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.evaluation.translations import TranslationEvaluation
from rnnlm.generation.sampler import OverflowedError, SampledIds
from rnnlm.generation.translating import translate
from rnnlm.models.model import TextModel, check_vocabulary_size, token_names, vocabulary_of
from rnnlm.models.networks import make_translation_network, restored_translation_network
from rnnlm.nn.arrays import Floats
from rnnlm.nn.batch import Pairs
from rnnlm.nn.encoder_decoder import EncoderDecoder
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.text.chunks import chunks
from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE, Vocabulary

TEXTS_TOGETHER = 64
"""Most texts that are measured or translated side by side."""

BEAM_WIDTH = 5

LARGEST_BEAM = 1000
"""A wider beam takes memory and finds nothing more."""


@dataclass(frozen=True)
class Translated:
    """What a translator makes of a text.

    Attributes
    ----------
    text
        The translation; empty where the text has no tokens.
    tokens
        Its tokens.
    log_prob
        Their log-probability and that of the end, in nats; None where the text has no tokens.
    """

    text: str
    tokens: list[str]
    log_prob: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return {"text": self.text, "tokens": self.tokens, "log_prob": self.log_prob}

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Alignment:
    """Where a translator looked while it wrote.

    Attributes
    ----------
    translated
        What it wrote.
    source, target
        The tokens that were read and written, each with its end.
    weights : (T, S)
        How much each place of the source counted at each step; the sum of a row is 1.
    """

    translated: Translated
    source: list[str]
    target: list[str]
    weights: Floats


class Translator(TextModel):
    """An encoder that reads a text, and a decoder that writes its translation.

    A text is read to its end, or for its first 1,024 tokens.

    Attributes
    ----------
    source_vocabulary
        The tokens of what it translates; those of the translations are in `vocabulary`.
    """

    task = "translate"
    called = "translator"
    network: EncoderDecoder
    source_vocabulary: Vocabulary

    def __init__(
        self, network: EncoderDecoder, vocabulary: Vocabulary, config: Config, source_vocabulary: Vocabulary
    ) -> None:
        self.network, self.vocabulary, self.config = network, vocabulary, config
        self.source_vocabulary = source_vocabulary

    @classmethod
    def create(cls, config: Config, dataset: Dataset) -> "Translator":
        """Make an untrained model with the dataset's vocabularies; see `Model.create`."""
        check_vocabulary_size(config, dataset)
        if dataset.source_vocabulary is None:
            raise RnnlmError(
                f"{dataset.path}: its texts have no sources to translate; preprocess pairs with `format=pairs`."
            )
        network = make_translation_network(config, len(dataset.source_vocabulary), len(dataset.vocabulary))
        return cls(network, dataset.vocabulary, config, dataset.source_vocabulary)

    @classmethod
    def restore(cls, checkpoint: Checkpoint) -> "Translator":
        """Make the trained model of a checkpoint, which has both vocabularies; see `Model.restore`."""
        vocabulary, file = vocabulary_of(checkpoint), str(checkpoint.directory / SOURCE_VOCABULARY_FILE)
        source_vocabulary = Vocabulary.from_bytes(checkpoint.file(SOURCE_VOCABULARY_FILE), file)
        network = restored_translation_network(checkpoint, len(source_vocabulary), len(vocabulary))
        return cls(network, vocabulary, checkpoint.config, source_vocabulary)

    def files(self) -> dict[str, bytes]:
        """Return both vocabularies."""
        return {
            **super().files(),
            SOURCE_VOCABULARY_FILE: self.source_vocabulary.content(SOURCE_VOCABULARY_FILE),
        }

    @property
    def token_names(self) -> list[str]:
        """The tokens of the targets, and those of the sources by names that are no target's."""
        return super().token_names + [f"\0source:{name}" for name in token_names(self.source_vocabulary)]

    def entries(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Return also the tokens of the source; see `Model.entries`."""
        source = self.network.encoder.source
        names = token_names(self.source_vocabulary)
        return {**super().entries(), f"encoder.{source.tensor}": (source.token_axis, names)}

    def batches(self, split: Split) -> PairBatches:
        """Return pairs of like lengths."""
        training = self.config.training
        return PairBatches(split, training.batch_size, training.seed)

    @np.errstate(all="ignore")
    def evaluate(
        self, split: Split, *, watch: Callable[[], None] = lambda: None, share: Share = ALL
    ) -> TranslationEvaluation:
        """Measure how likely the targets are; see `Model.evaluate`. Nothing is translated."""
        nats, tokens, examples = 0.0, 0, 0
        for batch in share.of(PairBatches(split, TEXTS_TOGETHER).epoch(0)):
            watch()
            losses, _ = self.network.losses(batch, self.network.initial_state(1))
            nats += float(losses.sum(dtype=np.float64))
            tokens += len(losses)
            examples += batch.mask.shape[1]
        if not np.isfinite(nats):
            raise OverflowedError
        return TranslationEvaluation(nats, tokens, examples)

    def evaluate_translations(self, split: Split, *, beam_width: int = BEAM_WIDTH) -> TranslationEvaluation:
        """Measure how likely the targets are, translate the sources, and compare the translations with these.

        Raises
        ------
        RnnlmError
            If the package sacrebleu is not installed.
        """
        targets = [split.sentence(k)[1:-1] for k in range(split.num_sentences)]
        references = reference_texts(targets, self.vocabulary)
        translations = [self._translated(each).text for each in self._of_split(split, beam_width)]
        bleu = corpus_bleu(translations, references, lowercase=self.vocabulary.settings.lowercase)
        return replace(self.evaluate(split), bleu=bleu.score)

    def _of_split(self, split: Split, beam_width: int) -> Iterator[SampledIds]:
        """Yield the translations of all sources, those of like length side by side."""
        assert split.source is not None
        sources = [split.source.sentence(k)[1 : LONGEST_WINDOW + 1].tolist() for k in range(split.num_sentences)]
        order = np.argsort([len(ids) for ids in sources], kind="stable")
        found: list[SampledIds] = [SampledIds([], 0.0)] * len(sources)
        number = _texts_together(beam_width)
        for start in range(0, len(order), number):
            some = order[start : start + number]
            for k, target in zip(some, self._search([sources[k] for k in some], beam_width), strict=True):
                found[k] = target
        yield from found

    def predict(self, texts: Iterable[str], *, beam_width: int = BEAM_WIDTH) -> Iterator[Translated]:
        """Yield the translation of each of some texts, several at a time.

        Texts are read as they are needed, so that there may be any number of them.

        Parameters
        ----------
        texts
            The texts.
        beam_width
            How many hypotheses the search keeps, at most 1,000; 1 takes the most likely token at every step.

        Raises
        ------
        RnnlmError
            If one is not a string, `beam_width` is not from 1 to 1,000, or the model overflows.
        """
        for together in chunks(texts, _texts_together(beam_width)):
            sources = [self._source_ids(text) for text in together]
            found = iter(self._search([ids for ids in sources if ids], beam_width))
            for ids in sources:
                yield self._translated(next(found)) if ids else Translated("", [], None)

    def align(self, text: str, *, beam_width: int = BEAM_WIDTH) -> Alignment:
        """Translate a text and return where the model looked; nowhere, where the text has no tokens.

        Raises
        ------
        RnnlmError
            If the model has no attention, or as for `predict`.
        """
        _texts_together(beam_width)
        network, attention = self.network, self.network.attention
        if attention is None:
            raise RnnlmError("The model has no attention; train one with task.attention=additive.")
        source = self._source_ids(text)
        if not source:
            return Alignment(Translated("", [], None), [], [], np.empty((0, 0)))
        [found] = self._search([source], beam_width)
        read = np.array([Vocabulary.start_id, *found.ids])[:, None]
        pairs = Pairs(read, np.array(source)[:, None], np.array([len(source)]))
        network.forward(pairs, network.initial_state(1))
        weights = attention.weights[0].copy()
        if network.encoder.reverse:
            weights = weights[:, ::-1]
        names = [self.source_vocabulary.tokens[i] for i in source]
        written = self.vocabulary.decode([*found.ids, Vocabulary.end_id])
        return Alignment(self._translated(found), names, written, weights)

    def _source_ids(self, text: str) -> list[int]:
        """Return what is read of a text; nothing where it has no tokens."""
        vocabulary = self.source_vocabulary
        tokens = [token for sentence in vocabulary.processor.sentences(text) for token in sentence]
        return vocabulary.encode(tokens, end=True)[:LONGEST_WINDOW] if tokens else []

    @np.errstate(all="ignore")
    def _search(self, sources: list[list[int]], beam_width: int) -> list[SampledIds]:
        vocabulary = self.vocabulary
        if not sources:
            return []
        forbidden = [vocabulary.unknown_id, *vocabulary.start_ids]
        return translate(self.network, sources, beam_width, start_id=vocabulary.start_id, forbidden=forbidden)

    def _translated(self, found: SampledIds) -> Translated:
        tokens = self.vocabulary.decode(found.ids)
        return Translated(self.vocabulary.processor.detokenize(tokens), tokens, found.log_prob)

    def preview(self, split: Split, rng: np.random.Generator, length: int) -> str:
        """Translate one of the sources."""
        assert split.source is not None
        ids = split.source.sentence(int(rng.integers(split.num_sentences)))[1 : LONGEST_WINDOW + 1].tolist()
        [found] = self._search([ids], 1)
        source, vocabulary = self.source_vocabulary.decode(ids[:-1]), self.source_vocabulary
        shown = vocabulary.processor.detokenize(source[:length]) + (" …" if len(source) > length else "")
        return f"{shown} -> {self._translated(found).text}"

    @property
    def answers(self) -> Sequence[str]:
        """The tokens of the target, in the order of their ids."""
        return self.vocabulary.tokens

    def data_description(self) -> str:
        """Say how large the vocabularies are."""
        return f"{len(self.source_vocabulary):,} tokens of the source, {len(self.vocabulary):,} of the target"


def _texts_together(beam_width: int) -> int:
    """Return how many texts are translated side by side: fewer in a wide beam, so that memory is bounded."""
    if not 1 <= beam_width <= LARGEST_BEAM:
        raise RnnlmError(f"`beam_width` {beam_width}: give a whole number from 1 to {LARGEST_BEAM:,}.")
    return max(1, min(TEXTS_TOGETHER, TEXTS_TOGETHER * BEAM_WIDTH // beam_width))
