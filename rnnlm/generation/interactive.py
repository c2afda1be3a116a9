"""Writing a text together with a model, line by line."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.generation.writer import Writer
from rnnlm.generation.writing import WritingSettings
from rnnlm.text.detokenizers import CLOSING, OPENING

CHOICES = 9
"""How many of the most likely tokens are listed, at most one for each digit."""

LEAST_PROBABILITY = 0.0005
"""Below this a token is not listed: it would be shown as 0.0%."""

SHOWN = 300
"""Characters of a long text that are repeated, the last ones."""

HELP = rf"""
Type a beginning, then:
  Enter             let the model go on to the end of the sentence (Ctrl-C stops it)
  1 to {CHOICES}            take one of the most likely next tokens
  text              add it
  \text             add it too where it is a single digit or begins with / or \
  /temperature 0.7  below 1 the likely tokens gain, above 1 the unlikely ones; 0 takes the most likely
  /undo             take the last change back
  /new              start over
  /help             show this
  /quit             leave (or Ctrl-D)
The first letter of a command is enough.
""".lstrip()


class Session:
    """A text that a person and a model write in turns.

    Parameters
    ----------
    writer
        Writes for the model.
    text
        How the text begins.
    writing
        How the model goes on; None for the default.
    seed
        Seed of the whole session; None for a different one each time.

    Attributes
    ----------
    done
        Whether the person has asked to leave.
    """

    def __init__(
        self, writer: Writer, text: str = "", *, writing: WritingSettings | None = None, seed: int | None = None
    ) -> None:
        self.done = False
        self._writer = writer
        self._versions = [text]
        self._writing = writing or WritingSettings()
        self._rng = np.random.default_rng(seed)

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self._versions[-1]

    def reply(self, line: str) -> Iterator[str]:
        """Do what a line asks for, and yield what to show, piece by piece.

        The text has at any time what was yielded of it, so that whoever reads may stop. An `RnnlmError` says what
        cannot be done.
        """
        if line.startswith("/"):
            yield from self._command(*line[1:].split(maxsplit=1))
        elif line in map(str, range(1, CHOICES + 1)):
            self._choose(int(line))
            yield self.overview()
        elif line:
            text = line.removeprefix("\\")
            self._versions.append(self._with(text))
            unknown = self._writer.seed_text(text).unknown_words
            if unknown:
                yield f"(not in the vocabulary: {', '.join(dict.fromkeys(unknown))})\n"
            yield self.overview()
        else:
            yield from self._go_on()

    def overview(self) -> str:
        """Return the text, or the end of a long one, and the tokens most likely to follow."""
        return f"{_tail(self.text)}\n{self._choices()}"

    def _command(self, name: str = "", value: str = "") -> Iterator[str]:
        if name and "temperature".startswith(name):
            self._set_temperature(value)
            yield f"temperature {self._writing.sampling.temperature:g}\n{self._choices()}"
        elif name and "undo".startswith(name):
            if len(self._versions) == 1:
                raise RnnlmError("There is nothing to undo.")
            self._versions.pop()
            yield self.overview()
        elif name and "new".startswith(name):
            self._versions.append("")
            yield self.overview()
        elif name and "help".startswith(name):
            yield HELP
        elif name and "quit".startswith(name):
            self.done = True
        else:
            raise RnnlmError(f"/{name} is not a command; /help lists them.")

    def _set_temperature(self, value: str) -> None:
        try:
            temperature = float(value)
        except ValueError:
            temperature = -1
        if not temperature >= 0:
            raise RnnlmError("/temperature needs a number from 0, as in /temperature 0.7.")
        sampling = replace(self._writing.sampling, temperature=temperature, greedy=False)
        self._writing = replace(self._writing, sampling=sampling)

    def _choose(self, number: int) -> None:
        choices = self._next_tokens()
        if number > len(choices):
            raise RnnlmError(f"There is no choice {number}; give a number from 1 to {len(choices)}.")
        token, _ = choices[number - 1]
        if token == self._writer.vocabulary.end_token:
            raise RnnlmError("The sentence ends here; add text to begin another, or try /undo or /new.")
        self._versions.append(self._writer.seed_text(self.text).continued([token]).text)

    def _with(self, line: str) -> str:
        """Return the text with another after it; words are set apart, but for a mark at the beginning."""
        if not line:
            raise RnnlmError("There is no text after the backslash; type it twice to add one.")
        apart = self.text and self._writer.vocabulary.settings.level == "word" and line[0] not in " .,;:!?"
        return f"{self.text} {line}" if apart else self.text + line

    def _go_on(self) -> Iterator[str]:
        before = self.text
        pieces = self._writer.stream(before, writing=self._writing, seed=int(self._rng.integers(2**32)))
        if before:
            yield _tail(next(pieces))
        self._versions.append(before)
        for piece in pieces:
            self._versions[-1] += piece
            yield piece
        if self.text == before:
            self._versions.pop()
            yield "\n(the sentence ends here; add text to begin another)"
        yield f"\n{self._choices()}"

    def _next_tokens(self) -> list[tuple[str, float]]:
        likeliest = self._writer.next_tokens(self.text, CHOICES, writing=self._writing)
        return [pair for pair in likeliest if pair[1] >= LEAST_PROBABILITY] or likeliest[:1]

    def _choices(self) -> str:
        listed = []
        for number, (token, probability) in enumerate(self._next_tokens(), start=1):
            name = "(end)" if token == self._writer.vocabulary.end_token else token
            if name in (OPENING, CLOSING):
                name = '"'
            listed.append(f"{number} {self._writer.vocabulary.visible(name)} {probability:.1%}")
        return "  " + "   ".join(listed) + "\n"


def converse(
    session: Session,
    read: Callable[[str], str],
    write: Callable[[str], object],
    explain: Callable[[str], str] = str,
) -> None:
    """Read lines and write the replies until the person leaves.

    `read` shows a prompt and returns a line, like `input`; EOFError is the end. `explain` rewrites what an error
    says.
    """
    if session.text:
        write(session.overview())
    while not session.done:
        try:
            line = read("> ")
        except EOFError:
            write("\n")
            return
        except KeyboardInterrupt:
            write("\n")
            continue
        try:
            for piece in session.reply(line):
                write(piece)
        except RnnlmError as error:
            write(f"{explain(str(error))}\n")
        except KeyboardInterrupt:
            write("\n")


def _tail(text: str) -> str:
    return text if len(text) <= SHOWN else f"… {text[-SHOWN:]}"
