"""The tagger: a tag for every token of a sentence."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnnlm.config import Config
from rnnlm.dataset.batches import LONGEST_WINDOW, TaggedBatches
from rnnlm.dataset.spelling import Spellings
from rnnlm.dataset.store import Dataset, Split
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.answers import TagEvaluation
from rnnlm.evaluation.shares import ALL, Share
from rnnlm.evaluation.well_formed import WellFormed
from rnnlm.generation.sampler import refuse_overflow
from rnnlm.models.model import TextModel, check_vocabulary_size, vocabulary_of
from rnnlm.models.networks import make_network, restored_network
from rnnlm.nn.arrays import Floats, Ids
from rnnlm.nn.batch import Inputs
from rnnlm.nn.network import Network
from rnnlm.storage.checkpoint import Checkpoint
from rnnlm.text.characters import CHARACTERS_FILE, Characters
from rnnlm.text.chunks import chunks
from rnnlm.text.tagged import BEGIN, END, SINGLE
from rnnlm.text.tags import TAGS_FILE, Tags
from rnnlm.text.vocabulary import Vocabulary

TEXTS_TOGETHER = 32
"""Most sentences that are read side by side."""

UNKNOWN_CHARACTER = "\ufffd"
"""What is shown of a character outside the vocabulary."""

BLOCK = 1 << 20
"""How many tokens of a dataset are looked at at a time."""


@dataclass(frozen=True)
class Tagged:
    """What a tagger says of a text.

    Attributes
    ----------
    tokens, tags
        The tokens and the tag of each.
    text
        ``word/TAG word/TAG …``, or the words of segmented text with spaces between them.
    """

    tokens: list[str]
    tags: list[str]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return self.text


class Tagger(TextModel):
    """A network that says which tag each token of a sentence has.

    Attributes
    ----------
    tags
        The tags, in the order of their ids.
    characters
        The characters that its words are spelled with; None where it does not read them.
    """

    task = "tag"
    called = "tagger"
    tags: Tags

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        config: Config,
        tags: Tags,
        characters: Characters | None = None,
    ) -> None:
        self.network, self.vocabulary, self.config = network, vocabulary, config
        self.tags, self.characters = tags, characters
        self._well_formed = WellFormed(tags)

    @classmethod
    def create(cls, config: Config, dataset: Dataset) -> "Tagger":
        """Make an untrained model with the dataset's vocabulary and tags; see `Model.create`."""
        check_vocabulary_size(config, dataset)
        if dataset.tags is None:
            raise RnnlmError(
                f"{dataset.path}: its tokens have no tags; preprocess text that has, with `format=tagged` or"
                " `format=segmented`."
            )
        characters = None
        if config.model.character_size is not None:
            characters = Characters.of(_training_words(dataset))
        network = make_network(
            config,
            len(dataset.vocabulary),
            num_classes=len(dataset.tags),
            num_characters=None if characters is None else len(characters),
        )
        return cls(network, dataset.vocabulary, config, dataset.tags, characters)

    @classmethod
    def restore(cls, checkpoint: Checkpoint) -> "Tagger":
        """Make the trained model of a checkpoint, which has its vocabulary and tags; see `Model.restore`."""
        vocabulary = vocabulary_of(checkpoint)
        tags = Tags.from_bytes(checkpoint.file(TAGS_FILE), str(checkpoint.directory / TAGS_FILE))
        characters = None
        if checkpoint.config.model.character_size is not None:
            source = str(checkpoint.directory / CHARACTERS_FILE)
            characters = Characters.from_bytes(checkpoint.file(CHARACTERS_FILE), source)
        network = restored_network(
            checkpoint,
            len(vocabulary),
            num_classes=len(tags),
            num_characters=None if characters is None else len(characters),
        )
        return cls(network, vocabulary, checkpoint.config, tags, characters)

    def files(self) -> dict[str, bytes]:
        """Return the vocabulary, the tags and, where it reads them, the characters."""
        files = {**super().files(), TAGS_FILE: self.tags.content(TAGS_FILE)}
        if self.characters is not None:
            files[CHARACTERS_FILE] = self.characters.content()
        return files

    def entries(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Return also the characters; see `Model.entries`."""
        entries = super().entries()
        if self.characters is not None:
            entries["characters.embedding.weight"] = 0, ["", *self.characters.characters]
        return entries

    def batches(self, split: Split) -> TaggedBatches:
        """Return sentences with their tags."""
        training = self.config.training
        return self._in_batches(split, training.batch_size, training.seed)

    def _in_batches(self, split: Split, batch_size: int, seed: int = 0) -> TaggedBatches:
        """Return sentences with their tags; refuse those that have none."""
        if split.tags is None:
            raise RnnlmError(
                "The text has no tags to compare with; give text that has, with `format=tagged` or"
                " `format=segmented`."
            )
        spellings = Spellings(split.words, self.characters) if self.characters and split.words else None
        return TaggedBatches(split, batch_size, seed, spellings=spellings)

    @np.errstate(all="ignore")
    def evaluate(
        self, split: Split, *, watch: Callable[[], None] = lambda: None, share: Share = ALL
    ) -> TagEvaluation:
        """Measure the model on a part of a dataset; see `Model.evaluate`.

        A token whose tag the model does not know counts as an error.
        """
        evaluation = TagEvaluation(self.tags)
        for batch in share.of(self._in_batches(split, TEXTS_TOGETHER).epoch(0)):
            watch()
            assert batch.lengths is not None
            log_probs = self._log_probs(batch.inputs, batch.lengths)
            answers = self._well_formed.most_likely(log_probs, batch.lengths)
            evaluation.add(log_probs, answers, np.where(batch.mask, batch.targets, -1), batch.lengths)
        return evaluation

    def _log_probs(self, inputs: Inputs, lengths: Ids) -> Floats:
        """Return the log-probabilities of all tags at each place, (T, B, K)."""
        log_probs, _ = self.network.log_probs(inputs, self.network.initial_state(len(lengths)), lengths=lengths)
        refuse_overflow(log_probs)
        return log_probs

    def predict(self, texts: Iterable[str]) -> Iterator[Tagged]:
        """Yield the tags of each of some texts, several at a time.

        Texts are read as they are needed, so that there may be any number of them. White space in segmented text
        ends a word.

        Raises
        ------
        RnnlmError
            If one is not a string, or the model overflows.
        """
        for together in chunks(texts, TEXTS_TOGETHER):
            read = [self._read(text) for text in together]
            tags = self._tag([tokens for tokens, _ in read])
            for (tokens, begins), of_text in zip(read, tags, strict=True):
                yield Tagged(tokens, of_text, self._written(tokens, of_text, begins))

    def _read(self, text: str) -> tuple[list[str], set[int]]:
        """Return the tokens of a text as they are written, and before which there is a space in segmented text."""
        if self.tags.segmented:
            words = text.split()
            return list("".join(words)), set(np.cumsum([len(word) for word in words]).tolist())
        sentences = self.vocabulary.processor.sentences_as_written(text)
        return [token for sentence in sentences for token in sentence], set()

    def _tag(self, texts: list[list[str]]) -> list[list[str]]:
        """Return the most likely tags of some texts, long ones read in parts."""
        parts = [
            (number, tokens[start : start + LONGEST_WINDOW])
            for number, tokens in enumerate(texts)
            for start in range(0, len(tokens), LONGEST_WINDOW)
        ]
        tags: list[list[str]] = [[] for _ in texts]
        for first in range(0, len(parts), TEXTS_TOGETHER):
            together = parts[first : first + TEXTS_TOGETHER]
            of_parts = self._tag_side_by_side([tokens for _, tokens in together])
            for (number, _), of_part in zip(together, of_parts, strict=True):
                tags[number] += of_part
        return tags

    @np.errstate(all="ignore")
    def _tag_side_by_side(self, parts: list[list[str]]) -> Iterator[list[str]]:
        """Yield the most likely tags of some parts of texts, none empty, that are read side by side."""
        lengths = np.array([len(tokens) for tokens in parts])
        ids, words = (np.zeros((lengths.max(), len(parts)), np.intp) for _ in range(2))
        begins = np.cumsum(lengths) - lengths
        for column, tokens in enumerate(parts):
            ids[: len(tokens), column] = self.vocabulary.encode(map(self.vocabulary.processor.cased, tokens))
            words[: len(tokens), column] = begins[column] + np.arange(len(tokens))
        inputs: Inputs = ids
        if self.characters is not None:
            written = [token for tokens in parts for token in tokens]
            inputs = Spellings(written, self.characters).spelled(ids, words)
        best = self._well_formed.most_likely(self._log_probs(inputs, lengths), lengths)
        for column, tokens in enumerate(parts):
            yield [self.tags.names[k] for k in best[: len(tokens), column]]

    def _written(self, tokens: Sequence[str], tags: Sequence[str], begins: Container[int] = ()) -> str:
        """Return a text with what was found in it; before each of `begins` a word ends in any case."""
        if not self.tags.segmented:
            return " ".join(f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True))
        text = ""
        for place, (token, tag) in enumerate(zip(tokens, tags, strict=True)):
            starts = place in begins or tag in (BEGIN, SINGLE) or tags[place - 1] in (END, SINGLE)
            text += f" {token}" if place and starts else token
        return text

    def preview(self, split: Split, rng: np.random.Generator, length: int) -> str:
        """Tag the beginning of one of the sentences."""
        index = int(rng.integers(split.num_sentences))
        place = slice(int(split.offsets[index]) + 1, int(split.offsets[index + 1]) - 1)
        if split.spellings is None or split.words is None:
            tokens = self.vocabulary.decode(split.ids[place][:length])
            unknown = self.vocabulary.unknown_token
            written = [UNKNOWN_CHARACTER if token == unknown else token for token in tokens]
        else:
            tokens = written = [split.words[word] for word in split.spellings[place][:length]]
        return self._written(written, self._tag([tokens])[0])

    @property
    def answers(self) -> Sequence[str]:
        """The tags, in the order of their ids."""
        return self.tags.names

    @property
    def guessing_accuracy(self) -> float:
        """The share of the most frequent tag in the training text."""
        return max(self.tags.counts) / max(1, sum(self.tags.counts))

    def data_description(self) -> str:
        """Say how many words and tags there are."""
        return f"{len(self.vocabulary):,} tokens in the vocabulary, {len(self.answers):,} tags"


def _training_words(dataset: Dataset) -> Iterator[str]:
    """Yield the distinct words of the training part as they are written."""
    spellings, words = dataset.train.spellings, dataset.train.words
    if spellings is None or words is None:
        raise RnnlmError(
            f"{dataset.path}: its tokens are characters, which are not spelled; leave model.character_size out."
        )
    found = np.zeros(len(words), bool)
    for start in range(0, len(spellings), BLOCK):
        found[spellings[start : start + BLOCK]] = True
    return (words[word] for word in np.flatnonzero(found))
