"""From a document to its sentences of tokens, in the way that a vocabulary remembers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.abbreviations import GOES_ON_BEFORE
from rnnlm.text.cleaning import clean_comment
from rnnlm.text.detokenizers import GrowingText
from rnnlm.text.sentences import PunktData, SentenceSplitter
from rnnlm.text.subwords import SubwordData, is_subword_data
from rnnlm.text.tokenizers import CHARACTERS, SPACE_BOUND, WORD_TOKENIZERS, Tokenizer, are_strings, make_tokenizer

JOINS = ("space", "none")
TAGGED = ("tagged", "segmented")
"""Formats of text whose tokens are given, with their tags."""
PAIRS = "pairs"
"""The format of texts with their translations."""

FIRST_SETTINGS = ("tokenizer", "lowercase", "sentences", "clean", "punkt")
"""The settings that every file holds. Later ones are left out where they have their default, so that old files and
new ones compare equal."""


@dataclass(frozen=True)
class TextSettings:
    """How text becomes tokens.

    Attributes
    ----------
    tokenizer
        ``nltk``, ``tweet``, ``whitespace``, ``unicode``, ``jieba``, ``bpe`` or ``characters``.
    lowercase
        Whether text is put in lower case.
    sentences
        Whether documents are split into sentences; if not, a document is one sentence.
    clean
        Whether the Reddit clean-up is applied.
    punkt
        Parameters of the sentence splitter; needed where `sentences` is on.
    join
        How words that white space separated are joined again: with a ``space``, or with ``none`` where a script
        has none.
    keep_lines
        Whether the ends of lines are tokens, so that a document of several lines stays one.
    subwords
        The parts of words; needed where the tokenizer is ``bpe``.
    """

    tokenizer: str = "nltk"
    lowercase: bool = True
    sentences: bool = False
    clean: bool = False
    punkt: PunktData | None = None
    join: str = "space"
    keep_lines: bool = False
    subwords: SubwordData | None = None

    @classmethod
    def choose(
        cls,
        level: str | None = None,
        formats: Collection[str] = ("txt",),
        *,
        tokenizer: str | None = None,
        lowercase: bool | None = None,
        sentences: bool | None = None,
        clean: bool | None = None,
        join: str | None = None,
        keep_lines: bool = False,
        labelled: bool = False,
    ) -> "TextSettings":
        """Return the settings that suit a level and the formats of the inputs; those that are given stay.

        Parameters
        ----------
        level
            ``word`` or ``char``; None for what the formats have, which is words except in ``segmented`` text. Only
            words are put in lower case.
        formats
            ``csv``, ``json``, ``jsonl``, ``parquet`` or ``txt``. Without ``txt`` all are records; these are taken
            for comments, which are cleaned and, at the level of words, split into sentences unless their lines are
            kept; ``pairs`` are not. ``tagged`` and ``segmented`` text has tokens: the settings are for other text.
        tokenizer, lowercase, sentences, clean, join, keep_lines
            As in the settings; None for the default, which for words is ``nltk``, for tagged ones ``whitespace``.
        labelled
            Whether documents have labels; these are by default not split into sentences.

        Raises
        ------
        RnnlmError
            If a tokenizer is given for characters, or two settings exclude one another.
        """
        tagged = next((name for name in TAGGED if name in formats), None)
        level = level or ("char" if tagged == "segmented" else "word")
        words, records = level == "word", not {"txt", PAIRS, *TAGGED}.intersection(formats)
        tokenizer = tokenizer or ("whitespace" if tagged and words else None)
        if tokenizer and not words:
            raise RnnlmError("`tokenizer` is for words; leave it out with `level=char`.")
        if join and tokenizer != "whitespace":
            raise RnnlmError("`join` is for `tokenizer=whitespace`; the others need none; leave it out.")
        if keep_lines and not words:
            raise RnnlmError("`keep_lines` is for words: characters include the ends of lines; leave it out.")
        if keep_lines and sentences:
            raise RnnlmError("`keep_lines` keeps a document in one piece; leave it out, or `sentences`.")
        if tagged and (sentences or clean or keep_lines):
            name = "sentences" if sentences else "clean" if clean else "keep_lines"
            raise RnnlmError(f"`{name}` is for text, but `format={tagged}` has its tokens already; leave it out.")
        settings = cls(
            tokenizer=(tokenizer or "nltk") if words else CHARACTERS,
            lowercase=words if lowercase is None else lowercase,
            sentences=words and records and not (keep_lines or labelled) if sentences is None else sentences,
            clean=records if clean is None else clean,
            join=join or "space",
            keep_lines=keep_lines,
        )
        for format in formats:
            settings.check_format(format)
        return settings

    def check_format(self, format: str) -> None:
        """Raise `RnnlmError` if text of a format whose tokens are given, or pairs, cannot have these settings."""
        if format == PAIRS and (self.sentences or self.keep_lines):
            name = "sentences" if self.sentences else "keep_lines"
            raise RnnlmError(
                f"`{name}` is for text, but `format={PAIRS}` has whole lines that belong together; leave it out."
            )
        if format not in TAGGED:
            return
        if self.level != ("char" if format == "segmented" else "word"):
            one, other = ("characters", "words") if format == "segmented" else ("words", "characters")
            raise RnnlmError(f"`format={format}` has tags for {one}, but the text settings are for {other}.")
        if self.level == "char" and self.lowercase:
            raise RnnlmError("`lowercase` is for words: in lower case a character may be two; leave it out.")
        if self.level == "word" and self.tokenizer not in SPACE_BOUND:
            raise RnnlmError(
                f"`tokenizer={self.tokenizer}` makes tokens that are not words of tagged text; choose one of"
                f" {', '.join(SPACE_BOUND)}."
            )
        if self.keep_lines:
            raise RnnlmError("`keep_lines` makes tokens that tagged text does not have; leave it out.")
        if self.sentences and self.punkt is None:
            raise RnnlmError(
                f"`sentences` is for text, but `format={format}` has sentences already; leave it out."
            )

    @property
    def default_documents(self) -> str:
        """What a document of a text file is by default: ``line``, ``paragraph`` or ``file``."""
        if self.level == "char":
            return "file"
        return "paragraph" if self.keep_lines else "line"

    @property
    def level(self) -> str:
        """``char`` where tokens are characters, else ``word``."""
        return "char" if self.tokenizer == CHARACTERS else "word"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data for JSON, without later ones that have their default."""
        data = asdict(self)
        return {
            field.name: data[field.name]
            for field in fields(self)
            if field.name in FIRST_SETTINGS or data[field.name] != field.default
        }

    @classmethod
    def from_dict(cls, data: object, source: str) -> "TextSettings":
        """Return the settings that plain data from the file `source` describes; check all of it.

        Raises
        ------
        RnnlmError
            If a key is missing, unknown or of the wrong type.
        """
        if not isinstance(data, Mapping) or not data.keys() >= set(FIRST_SETTINGS):
            raise RnnlmError(f"{source}: 'text' must hold the keys {', '.join(FIRST_SETTINGS)}.")
        unknown = [key for key in data if key not in {field.name for field in fields(cls)}]
        if unknown:
            raise RnnlmError(
                f"{source}: 'text' has the key {shown(unknown[0])}, which this version of rnnlm does not know;"
                " use the version that wrote it."
            )
        if data["tokenizer"] not in (*WORD_TOKENIZERS, CHARACTERS):
            raise RnnlmError(
                f"{source}: 'text.tokenizer' is {shown(data['tokenizer'])}, which is not a tokenizer."
            )
        for name in ("lowercase", "sentences", "clean", "keep_lines"):
            if not isinstance(data.get(name, False), bool):
                raise RnnlmError(f"{source}: 'text.{name}' must be true or false.")
        if data["sentences"] and not _is_punkt_data(data["punkt"]):
            raise RnnlmError(f"{source}: 'text.punkt' does not hold the sentence splitter's parameters.")
        if data.get("join", "space") not in JOINS:
            raise RnnlmError(f"{source}: 'text.join' must be {' or '.join(JOINS)}.")
        if (data["tokenizer"] == "bpe") != is_subword_data(data.get("subwords")):
            raise RnnlmError(f"{source}: 'text.subwords' does not hold what the tokenizer needs.")
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


class TextProcessor:
    """Processes text as the settings say: clean, split into sentences, lower the case, tokenize.

    `unknown` is the token that stands for unknown words, where tokens become text.
    """

    def __init__(self, settings: TextSettings, unknown: str = "") -> None:
        self.settings = settings
        self._unknown = unknown

    # Made when first needed: a model that only writes loads no sentence splitter.
    @cached_property
    def _tokenizer(self) -> Tokenizer:
        settings = self.settings
        return make_tokenizer(
            settings.tokenizer,
            join=settings.join,
            keep_lines=settings.keep_lines,
            subwords=settings.subwords,
            unknown=self._unknown,
        )

    @cached_property
    def _splitter(self) -> SentenceSplitter | None:
        return SentenceSplitter(self.settings.punkt) if self.settings.sentences and self.settings.punkt else None

    def sentence_texts(self, text: str) -> Iterator[str]:
        """Yield the sentences of a document as text, as they look just before tokenization."""
        text = self._cleaned(text)
        for sentence in self._splitter.split(text) if self._splitter else (text,):
            yield self.cased(sentence)

    def sentences(self, text: str) -> Iterator[list[str]]:
        """Yield the sentences of a document as lists of tokens; none is empty."""
        if not text:
            return iter(())  # without the splitter, which takes long to load
        return filter(None, map(self._tokenizer.tokenize, self.sentence_texts(text)))

    def sentences_as_written(self, text: str) -> Iterator[list[str]]:
        """Yield the sentences of a document as lists of tokens, in the case in which they are written."""
        text = self._cleaned(text)
        return filter(
            None, map(self._tokenizer.tokenize, self._splitter.split(text) if self._splitter else (text,))
        )

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text that is taken for one sentence."""
        return self._tokenizer.tokenize(self.cased(self._cleaned(text)))

    def tokenize_sentence(self, sentence: str) -> list[str]:
        """Return the tokens of a sentence that `sentence_texts` gave."""
        return self._tokenizer.tokenize(sentence)

    def characters(self, sentence: str) -> int:
        """Return how many characters a sentence that `sentence_texts` gave has."""
        return len(sentence)

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return readable text made of the tokens."""
        return self._tokenizer.detokenize(tokens)

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return readable text made of the tokens, to which further ones can be added."""
        return self._tokenizer.growing(tokens)

    def cased(self, text: str) -> str:
        """Return a text in the case that the vocabulary has."""
        return text.lower() if self.settings.lowercase else text

    def _cleaned(self, text: str) -> str:
        return clean_comment(text) if self.settings.clean else text
