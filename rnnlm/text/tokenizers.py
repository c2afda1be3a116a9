"""Tokenizers: text to tokens and back."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeGuard

from rnnlm.errors import RnnlmError
from rnnlm.text.cutting import cut
from rnnlm.text.detokenizers import GrowingProse, GrowingText, SettledText
from rnnlm.text.joining.rules import NLTK, TWEET
from rnnlm.text.scripts import stand_apart

if TYPE_CHECKING:
    from rnnlm.text.subwords import SubwordData

CHARACTERS = "characters"
SPACE_BOUND = ("nltk", "tweet", "whitespace")
"""Tokenizers whose words end at spaces and punctuation marks; the others also find words that touch."""
MARKED = ("unicode", "jieba", "bpe")
"""Tokenizers whose tokens begin with a mark if a space stood before them."""
WORD_TOKENIZERS = (*SPACE_BOUND, *MARKED)
MARK = "▁"

LONGEST_PART = 4096
"""Characters that NLTK is given at a time: some of its patterns take a time quadratic in the length of hostile
text, and raise an error when it gets too long."""

PLACES = [re.compile(f".*[{marks}]") for marks in (" ", "。！？；，、।॥؟۔،,;!?")]
"""Longer text is cut at the ends of words, else after these marks, else anywhere."""

LONE_SURROGATES = re.compile("[\ud800-\udfff]")

NEEDED_CHARACTERS = {
    r"([«“‘„]|[`]+)": "«“‘„`",
    r"^\"": '"',
    r"(``)": "`",
    r"([ \(\[{<])(\"|\'{2})": "\"'",
    r"(?i)(?<!\w)(\')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)": "'",
    r"""([^\.])(\.)([\]\)}>"\'»”’ ]*+)\s*$""": ".",
    r"([:,])([^\d])": ":,",
    r"([:,])$": ":,",
    r"\.{2,}": ".",
    r"[;@#$%&]": ";@#$%&",
    r"[\u2012-\u2015]": "\u2012\u2013\u2014\u2015",
    r"""([^\.])(\.)([\]\)}>"\']*)\s*$""": ".",
    r"[?!]": "?!",
    r"([^'])' ": "'",
    r"[*]": "*",
    r"[\]\[\(\)\{\}\<\>]": "[](){}<>",
    r"--": "-",
    r"([»”’])": "»”’",
    r"''": "'",
    r'"': '"',
    r"\s+": "",  # only runs of spaces are left, which end between tokens anyway
    r"([^' ])('[sS]|'[mM]|'[dD]|') ": "'",
    r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ": "'",
}
"""Characters of which a text must hold one for a pattern of `NLTKWordTokenizer` to change it. Most sentences hold
few of them, so most patterns need not be tried. A pattern that is not listed is always tried."""
ALWAYS = " "
CONTRACTIONS = re.compile(r"cannot|d'ye|gimme|gonna|gotta|lemme|more'n|wanna|'tis|'twas", re.IGNORECASE)


Substitution = tuple[frozenset[str], Callable[[str, str], str], str]
"""Characters of which a text must hold one, the method that substitutes in it, and the replacement."""


class Tokenizer(ABC):
    """Turns a sentence into tokens and tokens into readable text."""

    @abstractmethod
    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text."""

    @abstractmethod
    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return readable text made of the tokens, to which further ones can be added."""

    def detokenize(self, tokens: Sequence[str]) -> str:
        """Return readable text made of the tokens."""
        return self.growing(tokens).text


class CharacterTokenizer(Tokenizer):
    """Every Unicode character is a token, newlines and spaces included; lossless."""

    def tokenize(self, text: str) -> list[str]:
        """Return the characters."""
        return list(text)

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return the characters as one string."""
        return SettledText(tokens, lambda text, token: token)


class WhitespaceTokenizer(Tokenizer):
    """For text that is tokenized already: white space separates the tokens.

    `join` is ``space`` to put a space between any two words, ``none`` to put one only in scripts that have spaces.
    """

    def __init__(self, join: str = "space") -> None:
        self._join = join

    def tokenize(self, text: str) -> list[str]:
        """Return the words between white space."""
        return text.split()

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return the tokens joined."""

        def written(text: str, token: str) -> str:
            apart = text and (self._join == "space" or stand_apart(text, token))
            return f" {token}" if apart else token

        return SettledText(tokens, written)


class NltkTokenizer(Tokenizer):
    """NLTK's tokenizer in the style of the Penn Treebank: ``do n't``, quotes as `````` and ``''``.

    It expects one sentence at a time: a full stop is split off at the end of the text only.
    """

    # NLTK, which takes long to import, is not needed to make text of tokens.
    @cached_property
    def _patterns(self) -> tuple[list[Substitution], list[Substitution], list[re.Pattern[str]]]:
        """Those used before and after the text is padded with spaces, and those of contractions."""
        from nltk.tokenize.destructive import NLTKWordTokenizer as Nltk

        before = [*Nltk.STARTING_QUOTES, *Nltk.PUNCTUATION, Nltk.PARENS_BRACKETS, Nltk.DOUBLE_DASHES]
        contractions = [*Nltk.CONTRACTIONS2, *Nltk.CONTRACTIONS3]
        return _substitutions(before), _substitutions(Nltk.ENDING_QUOTES), contractions

    def tokenize(self, text: str) -> list[str]:
        """Return the words and punctuation marks of a sentence."""
        return [token for part in _parts(text) for token in self._tokenize(part)]

    def _tokenize(self, text: str) -> list[str]:
        """Do as `NLTKWordTokenizer.tokenize` does, but for the patterns that cannot match."""
        before_padding, after_padding, contractions = self._patterns
        characters = {ALWAYS, *text}
        if '"' in characters:
            characters.update("`'")  # which the patterns make of it
        for needed, substitute, replacement in before_padding:
            if not needed.isdisjoint(characters):
                text = substitute(replacement, text)
        text = f" {text} "
        for needed, substitute, replacement in after_padding:
            if not needed.isdisjoint(characters):
                text = substitute(replacement, text)
        if CONTRACTIONS.search(text):
            for pattern in contractions:
                text = pattern.sub(r" \1 \2 ", text)
        return text.split()

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return prose: contractions joined, punctuation and quotes attached."""
        return GrowingProse(NLTK, tokens)


class TweetTokenizer(Tokenizer):
    """NLTK's tokenizer for casual text: keeps emoticons, hashtags, @names and URLs whole."""

    @cached_property
    def _tokenizer(self) -> Any:
        from nltk.tokenize.casual import TweetTokenizer as NltkTweetTokenizer

        return NltkTweetTokenizer()

    def tokenize(self, text: str) -> list[str]:
        """Return the words, punctuation marks and emoticons of a text."""
        tokens = [token for part in _parts(text) for token in self._tokenizer.tokenize(part)]
        # A character reference can be that of a lone surrogate, which no file can hold.
        return [LONE_SURROGATES.sub("\ufffd", token) for token in tokens] if "&#" in text else tokens

    def growing(self, tokens: Sequence[str]) -> GrowingText:
        """Return prose: punctuation and quotes attached."""
        return GrowingProse(TWEET, tokens)


def are_strings(data: object) -> TypeGuard[list[str]]:
    """Return whether plain data is a list of strings that a file can hold: without lone surrogates."""
    if not isinstance(data, list):
        return False
    return all(isinstance(item, str) and not LONE_SURROGATES.search(item) for item in data)


def _parts(text: str) -> Iterator[str]:
    """Fold white space, and cut text that is too long for NLTK."""
    return cut(" ".join(text.split()), LONGEST_PART, PLACES)


def _substitutions(rules: Iterable[tuple[Any, str]]) -> list[Substitution]:
    """Return each pattern's substitution with the characters that it needs."""
    return [
        (frozenset(NEEDED_CHARACTERS.get(pattern.pattern, ALWAYS)), pattern.sub, replacement)
        for pattern, replacement in rules
    ]


def make_tokenizer(
    name: str,
    *,
    join: str = "space",
    keep_lines: bool = False,
    subwords: "SubwordData | None" = None,
    unknown: str = "",
) -> Tokenizer:
    """Return the tokenizer of a name: one of `WORD_TOKENIZERS`, or ``characters``.

    The other parameters are those of `TextSettings`; `unknown` is the token that stands for unknown words.

    Raises
    ------
    RnnlmError
        If it needs subwords and there are none.
    """
    from rnnlm.text.line_ends import LineTokenizer
    from rnnlm.text.segmenting import JiebaTokenizer, UnicodeTokenizer
    from rnnlm.text.subwords import SubwordTokenizer

    makers: dict[str, Callable[[], Tokenizer]] = {
        CHARACTERS: CharacterTokenizer,
        "nltk": NltkTokenizer,
        "tweet": TweetTokenizer,
        "whitespace": lambda: WhitespaceTokenizer(join),
        "unicode": lambda: UnicodeTokenizer(unknown),
        "jieba": lambda: JiebaTokenizer(unknown),
    }
    if name != "bpe":
        tokenizer = makers[name]()
    elif subwords is not None:
        tokenizer = SubwordTokenizer(subwords, unknown)
    else:
        raise RnnlmError("The tokenizer bpe has no subwords; they are found when a dataset is built.")
    return LineTokenizer(tokenizer) if keep_lines else tokenizer
