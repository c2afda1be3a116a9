"""The vocabulary: tokens and their ids, and how the text they came from was processed."""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnlm.errors import RnnlmError, shown
from rnnlm.files import write_atomically
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.scripts import begins_without_space
from rnnlm.text.stored import FORMAT_VERSION, as_json, check_counts, check_keys, parse_json, read_bytes
from rnnlm.text.tokenizers import MARK, MARKED, are_strings

VOCABULARY_FILE = "vocabulary.json"
SOURCE_VOCABULARY_FILE = "source-vocabulary.json"
"""That of the sources, where texts are pairs."""
CALLED = "a vocabulary"
"""What messages call the content of such a file."""
LARGEST_FILE = 64 << 20
"""Bytes, enough for millions of words."""
MOST_NAMED = 5
"""The most labels that an error names."""
SPECIAL = ("unknown", "start", "end")
"""What the first three tokens are, as files name them."""


@dataclass(frozen=True)
class SpecialTokens:
    """The names of the three tokens that are not words of the text."""

    unknown: str = "UNKNOWN_TOKEN"
    start: str = "SENTENCE_START"
    end: str = "SENTENCE_END"

    def check(self) -> None:
        """Raise `RnnlmError` if two names are the same, one is empty, or one is not valid Unicode."""
        names = (self.unknown, self.start, self.end)
        if len(set(names)) < len(names) or not all(names):
            raise RnnlmError(
                "The unknown, start and end tokens must have three different names; change one of them."
            )
        for name in names:
            if not are_strings([name]):
                raise RnnlmError(f"The special token {name!r} is not valid Unicode; give it another name.")


class Vocabulary:
    """Tokens in the order of their ids: unknown, start, end, the words, and a start token for each label.

    `counts` says how often each token appears in the training text, and `settings` how text becomes tokens. A
    sentence of a text that has a label begins with the label's start token in place of the start token.
    """

    unknown_id = 0
    start_id = 1
    end_id = 2
    first_word_id = 3

    def __init__(
        self, tokens: Sequence[str], counts: Sequence[int], settings: TextSettings, labels: Sequence[str] = ()
    ) -> None:
        if len(tokens) < self.first_word_id or len(set(tokens)) != len(tokens) or len(counts) != len(tokens):
            raise ValueError("a vocabulary needs three special tokens, distinct tokens and a count for each")
        self.tokens = list(tokens)
        self.counts = list(counts)
        self.settings = settings
        self.labels = list(labels)
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        self._starts = {label: index for index, label in enumerate(self.labels, self.first_label_id)}
        # A word of the text that is named like a special token must not start or end a sentence.
        self._text_ids = {**self._ids, **{self.tokens[i]: self.unknown_id for i in (*self.start_ids, self.end_id)}}

    @property
    def unknown_token(self) -> str:
        """The token that stands for every word outside the vocabulary."""
        return self.tokens[self.unknown_id]

    @property
    def start_token(self) -> str:
        """The token before the first word of a sentence."""
        return self.tokens[self.start_id]

    @property
    def end_token(self) -> str:
        """The token after the last word of a sentence."""
        return self.tokens[self.end_id]

    @property
    def first_label_id(self) -> int:
        """The id of the first label's start token: how many tokens there are without those of labels."""
        return len(self.tokens) - len(self.labels)

    @property
    def label_counts(self) -> dict[str, int]:
        """The labels, each with how many sentences of the training text have it."""
        return dict(zip(self.labels, self.counts[self.first_label_id :], strict=True))

    def start_of(self, label: str) -> int:
        """Return the id with which a text of a label begins, that of the start token if the label is not known."""
        return self._starts.get(label, self.start_id)

    @property
    def start_ids(self) -> list[int]:
        """The ids with which sentences begin: those that are read and never written."""
        return [self.start_id, *range(self.first_label_id, len(self.tokens))]

    def label_start(self, label: str | None) -> int:
        """Return the id with which a text of a label begins, where there are no labels that of the start token.

        Raises
        ------
        RnnlmError
            If the vocabulary has no such label, or has labels and none is given.
        """
        if label is None and not self.labels:
            return self.start_id
        if label not in self._starts:
            raise _no_label(label, self.labels)
        return self._starts[label]

    def with_labels(self, counts: Mapping[str, int]) -> "Vocabulary":
        """Return the same vocabulary with labels, the most frequent first; it must have none.

        `counts` says how many sentences of the training text have each.

        Raises
        ------
        RnnlmError
            If the start token of a label is a word of the text.
        """
        labels = sorted(counts, key=lambda label: (-counts[label], label))
        starts = [f"{self.start_token}:{label}" for label in labels]
        for word in filter(self._ids.__contains__, starts):
            raise RnnlmError(f"The word {shown(word)} begins texts with a label; choose another `start_token`.")
        tokens = [*self.tokens, *starts]
        return Vocabulary(tokens, [*self.counts, *map(counts.__getitem__, labels)], self.settings, labels)

    @cached_property
    def processor(self) -> TextProcessor:
        """What makes tokens of text and text of tokens."""
        return TextProcessor(self.settings, self.unknown_token)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def encode(self, tokens: Iterable[str], *, start: bool = False, end: bool = False) -> list[int]:
        """Return the ids of tokens of a text.

        A token outside the vocabulary becomes the unknown one, and so does one named like the start or the
        end token: text cannot start or end a sentence.

        Parameters
        ----------
        start
            Whether a sentence begins with them: then the id of the start token comes first, as a model reads it.
        end
            Whether a sentence ends with them: then the id of the end token comes last, as a model predicts it.

        Raises
        ------
        RnnlmError
            If `tokens` is a string.
        """
        if isinstance(tokens, str):
            raise RnnlmError(f"Tokens must be a list, not the text {shown(tokens)}; put its tokens in [ ].")
        ids = [self._text_ids.get(token, self.unknown_id) for token in tokens]
        return [*([self.start_id] if start else []), *ids, *([self.end_id] if end else [])]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens of ids, special ones included."""
        return [self.tokens[index] for index in ids]

    def find(self, word: str) -> int:
        """Return the id of a word as people write it; that of the unknown token if there is none.

        Where tokens have marks, it is that of the word with the mark or without, the more frequent of the two.
        """
        word = word.lower() if self.settings.lowercase else word
        written = [word, MARK + word] if self.settings.tokenizer in MARKED else [word]
        found = [index for index in self.encode(written) if index != self.unknown_id]
        return max(found, key=self.counts.__getitem__, default=self.unknown_id)

    def visible(self, token: str) -> str:
        """Return a token as it is shown to people.

        A space or the end of a line, which nobody would see, is quoted. The mark of a space is left out; a word
        without one is shown as ``…word``, except in scripts that put no spaces between words.
        """
        if self.settings.tokenizer in MARKED and token not in self.tokens[: self.first_word_id]:
            if token.startswith(MARK):
                token = token[1:] or " "
            elif token[:1].isalnum() and not begins_without_space(token):
                token = f"…{token}"
        return repr(token) if token.isspace() else token

    def contradictions(self, **wanted: object) -> list[str]:
        """Return which settings wanted for a new vocabulary this one does not have.

        Those that are None do not count. A ``min_count`` is never fulfilled: a vocabulary does not know its own.
        """
        actual = {
            **asdict(self.settings),
            "level": self.settings.level,
            "vocab_size": self.first_label_id,
            "unknown_token": self.unknown_token,
            "start_token": self.start_token,
            "end_token": self.end_token,
        }
        return [name for name, value in wanted.items() if value is not None and value != actual.get(name)]

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabulary as plain data for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "level": self.settings.level,
            "special_tokens": dict(zip(SPECIAL, self.tokens, strict=False)),
            "tokens": self.tokens,
            "counts": self.counts,
            "text": self.settings.to_dict(),
            **({"labels": self.labels} if self.labels else {}),
        }

    @classmethod
    def from_dict(cls, data: object, source: str = VOCABULARY_FILE) -> "Vocabulary":
        """Return the vocabulary that plain data from the file `source` describes; check all of it.

        Raises
        ------
        RnnlmError
            If the data is not that of a vocabulary.
        """
        return cls(*_checked(data, source))

    def save(self, path: Path | str) -> None:
        """Write the vocabulary to a JSON file, in one go; raises what `content` does."""
        write_atomically(Path(path), self.content(path))

    def content(self, path: Path | str) -> bytes:
        """Return what a vocabulary's file holds; `path` is where it goes, for messages.

        Raises
        ------
        RnnlmError
            If it is longer than what `load` reads.
        """
        content = as_json(self.to_dict())
        if len(content) > LARGEST_FILE:
            raise RnnlmError(
                f"{path}: the vocabulary takes more than {LARGEST_FILE >> 20} MiB; set a lower `vocab_size`, or a"
                " higher `min_count`."
            )
        return content

    @classmethod
    def load(cls, path: Path | str) -> "Vocabulary":
        """Read a ``vocabulary.json``, or that in a directory such as a dataset or a checkpoint.

        Raises
        ------
        RnnlmError
            If there is none, or it is damaged.
        """
        file = Path(path)
        file = file / VOCABULARY_FILE if file.is_dir() else file
        return cls.from_bytes(read_bytes(file, LARGEST_FILE), str(file))

    @classmethod
    def from_bytes(cls, content: bytes, source: str) -> "Vocabulary":
        """Read a vocabulary from what the file `source` holds; raises what `from_dict` does."""
        return cls.from_dict(parse_json(content, CALLED, source, LARGEST_FILE), source)


def _checked(data: object, source: str) -> tuple[list[str], list[int], TextSettings, list[str]]:
    """Return what a vocabulary is made of, after checking the plain data that describes it."""
    data = check_keys(data, ("tokens", "counts", "special_tokens", "text"), CALLED, source)
    settings = TextSettings.from_dict(data["text"], source)
    tokens, counts = data["tokens"], data["counts"]
    if not are_strings(tokens) or len(tokens) < Vocabulary.first_word_id:
        raise RnnlmError(
            f"{source}: 'tokens' must be a list of strings of valid Unicode, the three special tokens first."
        )
    twice, times = Counter(tokens).most_common(1)[0]
    if times > 1:
        raise RnnlmError(f"{source}: the token {shown(twice)} appears twice in 'tokens'.")
    check_counts(counts, len(tokens), "token", source)
    if data["special_tokens"] != dict(zip(SPECIAL, tokens, strict=False)):
        raise RnnlmError(f"{source}: 'special_tokens' does not name the first three of 'tokens'.")
    if data.get("level") != settings.level:
        raise RnnlmError(
            f"{source}: 'level' is {shown(data.get('level'))}, but the tokenizer is that of another level."
        )
    labels = data.get("labels", [])
    start, words = f"{tokens[Vocabulary.start_id]}:", tokens[Vocabulary.first_word_id :]
    are_labels = are_strings(labels) and "" not in labels
    if not are_labels or [start + label for label in labels] != words[len(words) - len(labels) :]:
        raise RnnlmError(f"{source}: 'labels' must be a list of strings that name the last of 'tokens'.")
    return tokens, counts, settings, labels


def _no_label(label: str | None, labels: Sequence[str]) -> RnnlmError:
    """Say that a label is missing, or is none of some."""
    if not labels:
        return RnnlmError(f"`label` {shown(label)}: the model has no labels; leave it out.")
    if label is None:
        wrong, near = "`label` is missing, and the model's texts have labels", []
    else:
        wrong = f"`label` {shown(label)}: the model has no such label"
        near = difflib.get_close_matches(str(label), labels, n=3)
    known = [shown(each) for each in near or labels[:MOST_NAMED]]
    return RnnlmError(f"{wrong}; give one, such as {' or '.join(known)}.")
