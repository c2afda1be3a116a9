"""Notes on how inputs were read, and on what was repaired or left out in them."""

from collections.abc import Callable, Sequence

from rnnlm.text.decoding import has_surrogates
from rnnlm.text.tokenizers import LONE_SURROGATES

SAMPLE_SIZE = 60
"""Characters of a text that a message shows."""


class ReadReport:
    """Notes how files were read, and counts what was repaired or skipped, with the line of the first case."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._cases: dict[tuple[str, str], list[int]] = {}
        self._guesses: dict[str, tuple[list[str], Sequence[str]]] = {}

    def guess(self, source: str, reading: str, samples: Sequence[str]) -> None:
        """Note how a file is read, such as ``Reading JSON lines``, and its first texts."""
        self._guesses.setdefault(reading, ([], samples))[0].append(source)

    def guesses(self, explain: Callable[[str], str] = str) -> list[str]:
        """Return a sentence for each way of reading, as `explain` rewrites it, with its first texts and files."""
        return [
            f"{explain(reading)}: {' '.join(map(_sample, samples)) or 'none'} ({_named(sources)})"
            for reading, (sources, samples) in self._guesses.items()
        ]

    def note(self, sentence: str) -> None:
        """Keep a sentence about how a file is read, once."""
        self._notes[sentence] = None

    def add(self, source: str, kind: str, line: int, count: int = 1) -> None:
        """Count cases of a kind, such as ``NUL character{s} that {are} removed``; see `counted`."""
        self._cases.setdefault((source, kind), [0, line])[0] += count

    def join(self, other: "ReadReport") -> None:
        """Add what was reported of the texts that follow."""
        self._notes.update(other._notes)
        for (source, kind), (count, line) in other._cases.items():
            self.add(source, kind, line, count)
        for reading, (sources, samples) in other._guesses.items():
            for source in sources:
                self.guess(source, reading, samples)

    def messages(self) -> list[str]:
        """Return the sentences, and one for each file and kind of case."""
        return [
            *self._notes,
            *(
                f"{source}: {counted(count, kind)}, the first in line {line:,}."
                for (source, kind), (count, line) in self._cases.items()
            ),
        ]


def counted(count: int, kind: str) -> str:
    """Return a number and what it counts; ``{s}``, ``{are}`` and ``{a}`` stand where that differs for one."""
    s, are, a = ("", "is", "a ") if count == 1 else ("s", "are", "")
    return f"{count:,} {kind.replace('{s}', s).replace('{are}', are).replace('{a}', a)}"


def _sample(text: str) -> str:
    """Shorten a text to what a message shows of it."""
    words = "".join(c if c.isprintable() else " " for c in text[:SAMPLE_SIZE]).split()
    return f'"{" ".join(words)}{"..." if len(text) > SAMPLE_SIZE else ""}"'


def _named(sources: Sequence[str]) -> str:
    more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
    return f"{sources[0]}{more}"


class Source:
    """A source of documents; its notes and repairs go to a report under the name `source`."""

    def __init__(self, source: str, report: ReadReport) -> None:
        self.source = source
        self._report = report

    def repair(self, text: str, line: int, surrogates: str) -> str:
        """Remove NUL characters, and replace lone surrogates; `surrogates` says what these are here."""
        if "\0" in text:
            self.report("NUL character{s} removed", line, text.count("\0"))
            text = text.replace("\0", "")
        if not text.isascii() and has_surrogates(text):
            text, count = LONE_SURROGATES.subn("\ufffd", text)
            self.report(f"{surrogates} replaced by U+FFFD", line, count)
        return text

    def note(self, remark: str) -> None:
        """Report how it is read."""
        self._report.note(f"{self.source}: {remark}.")

    def guess(self, reading: str, samples: Sequence[str]) -> None:
        """Report in which way it is read; see `ReadReport.guess`."""
        self._report.guess(self.source, reading, samples)

    def report(self, kind: str, line: int, count: int = 1) -> None:
        """Report what is left out or looks wrong."""
        self._report.add(self.source, kind, line, count)
