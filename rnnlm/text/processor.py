"""From a document to its sentences of tokens, in the way that a vocabulary remembers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, TypeGuard

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.abbreviations import GOES_ON_BEFORE
from rnnlm.text.cleaning import clean_comment
from rnnlm.text.detokenizers import GrowingText
from rnnlm.text.sentences import PunktData, SentenceSplitter
from rnnlm.text.tokenizers import CHARACTERS, LONE_SURROGATES, WORD_TOKENIZERS, Tokenizer, make_tokenizer


@dataclass(frozen=True)
class TextSettings:
    """How text becomes tokens.

    Attributes
    ----------
    tokenizer
        ``nltk``, ``tweet``, ``whitespace`` or ``characters``.
    lowercase
        Whether text is put in lower case.
    sentences
        Whether documents are split into sentences; if not, a document is one sentence.
    clean
        Whether the Reddit clean-up is applied.
    punkt
        Parameters of the sentence splitter; needed where `sentences` is on.
    """

    tokenizer: str = "nltk"
    lowercase: bool = True
    sentences: bool = False
    clean: bool = False
    punkt: PunktData | None = None

    @classmethod
    def choose(
        cls,
        level: str = "word",
        formats: Collection[str] = ("txt",),
        *,
        tokenizer: str | None = None,
        lowercase: bool | None = None,
        sentences: bool | None = None,
        clean: bool | None = None,
    ) -> "TextSettings":
        """Return the settings that suit a level and the inputs' formats, but for those that are given.

        Parameters
        ----------
        level
            ``word`` or ``char``: only words are put in lower case.
        formats
            ``csv``, ``jsonl`` or ``txt``: where all are records, they are taken for comments, which are cleaned,
            and split into sentences of words.
        tokenizer, lowercase, sentences, clean
            As in the settings; None for the default.

        Raises
        ------
        RnnlmError
            If a tokenizer is given for characters.
        """
        words, records = level == "word", "txt" not in formats
        if tokenizer and not words:
            raise RnnlmError(f"characters have no tokenizer; leave {tokenizer!r} out, or choose words.")
        return cls(
            tokenizer=(tokenizer or "nltk") if words else CHARACTERS,
            lowercase=words if lowercase is None else lowercase,
            sentences=words and records if sentences is None else sentences,
            clean=records if clean is None else clean,
        )

    @property
    def default_documents(self) -> str:
        """What a document of a text file is if nothing is said: a ``line`` of words, a ``file`` of characters."""
        return "line" if self.level == "word" else "file"

    @property
    def level(self) -> str:
        """``char`` where tokens are characters, else ``word``."""
        return "char" if self.tokenizer == CHARACTERS else "word"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object, source: str) -> "TextSettings":
        """Check plain data from a file and return the settings.

        Parameters
        ----------
        data
            What the file holds.
        source
            The file's name, for messages.

        Raises
        ------
        RnnlmError
            If a key is missing, unknown or of the wrong type.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(data, Mapping) or set(data) != names:
            raise RnnlmError(f"{source}: 'text' must hold exactly the keys {', '.join(sorted(names))}.")
        if data["tokenizer"] not in (*WORD_TOKENIZERS, CHARACTERS):
            raise RnnlmError(f"{source}: 'text.tokenizer' is {shown(data['tokenizer'])}, which is no tokenizer.")
        for name in ("lowercase", "sentences", "clean"):
            if not isinstance(data[name], bool):
                raise RnnlmError(f"{source}: 'text.{name}' must be true or false.")
        if data["sentences"] and not _is_punkt_data(data["punkt"]):
            raise RnnlmError(f"{source}: 'text.punkt' does not hold the sentence splitter's parameters.")
        return cls(**data)


def _is_punkt_data(data: object) -> bool:
    if not isinstance(data, Mapping):
        return False
    collocations, ortho_context = data.get("collocations"), data.get("ortho_context")
    known = data.get("known_abbreviations", {})
    return (
        are_strings(data.get("abbreviations"))
        and are_strings(data.get("sentence_starters"))
        and isinstance(collocations, list)
        and all(are_strings(pair) and len(pair) == 2 for pair in collocations)
        and isinstance(ortho_context, Mapping)
        and are_strings(list(ortho_context))
        and all(isinstance(flags, int) for flags in ortho_context.values())
        and isinstance(known, Mapping)
        and are_strings([*known, *known.values()])
        and set(GOES_ON_BEFORE).issuperset(known.values())
    )


def are_strings(data: object) -> TypeGuard[list[str]]:
    """Return whether plain data is a list of strings that a file can hold: without lone surrogates."""
    if not (isinstance(data, list) and all(isinstance(item, str) for item in data)):
        return False
    return not any(LONE_SURROGATES.search(item) for item in data)


class TextProcessor:
    """Processes text as the settings say: clean, split into sentences, lower the case, tokenize.

    Parameters
    ----------
    settings
        How text becomes tokens.
    """

    def __init__(self, settings: TextSettings) -> None:
        self.settings = settings

    # Made when first needed: a detokenizing model loads no sentence splitter.
    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return make_tokenizer(self.settings.tokenizer)

    @cached_property
    def _splitter(self) -> SentenceSplitter | None:
        return SentenceSplitter(self.settings.punkt) if self.settings.sentences and self.settings.punkt else None

    def sentence_texts(self, text: str) -> Iterator[str]:
        """Yield the sentences of a document as text, as they look just before tokenization."""
        text = self._cleaned(text)
        for sentence in self._splitter.split(text) if self._splitter else (text,):
            yield self._cased(sentence)

    def sentences(self, text: str) -> Iterator[list[str]]:
        """Yield the sentences of a document as lists of tokens; none is empty."""
        return filter(None, map(self._tokenizer.tokenize, self.sentence_texts(text)))

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text that is taken for one sentence."""
        return self._tokenizer.tokenize(self._cased(self._cleaned(text)))

    def tokenize_sentence(self, sentence: str) -> list[str]:
        """Return the tokens of a sentence that `sentence_texts` gave."""
        return self._tokenizer.tokenize(sentence)

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return readable text made of the tokens."""
        return self._tokenizer.detokenize(tokens)

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return readable text made of the tokens, to which further ones can be added."""
        return self._tokenizer.growing(tokens)

    def _cleaned(self, text: str) -> str:
        return clean_comment(text) if self.settings.clean else text

    def _cased(self, text: str) -> str:
        return text.lower() if self.settings.lowercase else text
