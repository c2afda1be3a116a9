"""The characters that words are spelled with, and their ids."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from rnnlm.errors import RnnlmError, shown
from rnnlm.text.tokenizers import are_strings

CHARACTERS_FILE = "characters.json"
FORMAT_VERSION = 1

HALF_OF_A_WORD = 32
"""Of a longer word so many characters at its beginning and at its end are read."""


class Characters:
    """Characters and their ids, from 1; 0 stands for those that no training word had."""

    unknown_id = 0

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = list(characters)
        self._ids = {character: index for index, character in enumerate(self.characters, start=1)}

    @classmethod
    def of(cls, words: Iterable[str]) -> "Characters":
        """Return the characters of some words, the most frequent first."""
        counts = Counter(character for word in words for character in word)
        return cls(sorted(counts, key=lambda character: (-counts[character], character)))

    def __len__(self) -> int:
        return len(self.characters) + 1

    def encode(self, word: str) -> list[int]:
        """Return the ids of a word's characters; of a very long one those of its beginning and its end."""
        if len(word) > 2 * HALF_OF_A_WORD:
            word = word[:HALF_OF_A_WORD] + word[-HALF_OF_A_WORD:]
        return [self._ids.get(character, self.unknown_id) for character in word]

    def content(self) -> bytes:
        """Return what the file `CHARACTERS_FILE` holds."""
        data = {"format_version": FORMAT_VERSION, "characters": self.characters}
        return json.dumps(data, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes, source: str) -> "Characters":
        """Read what the file `source` holds.

        Raises
        ------
        RnnlmError
            If it is damaged.
        """
        try:
            data = json.loads(content.decode())
            version, characters = data["format_version"], data["characters"]
            if version != FORMAT_VERSION:
                raise ValueError(f"its format version is {shown(version)}")
            if not (are_strings(characters) and all(len(each) == 1 for each in characters)):
                raise ValueError("'characters' is not a list of characters")
            if len(set(characters)) < len(characters):
                raise ValueError("a character stands twice in it")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RnnlmError(f"{source}: cannot be read ({error}); use another checkpoint.") from error
        return cls(characters)
