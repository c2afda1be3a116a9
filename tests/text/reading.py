"""Reading files as documents, with what is said about them."""

from pathlib import Path
from typing import Any

from rnnlm.text.readers import ReaderSettings, read_documents
from rnnlm.text.report import ReadReport


def read(*inputs: Path | str, report: ReadReport | None = None, **settings: Any) -> list[str]:
    """Return whole documents."""
    documents: list[str] = []
    names = [str(name) for name in inputs]
    for text, begins, *_ in read_documents(names, ReaderSettings(**settings), report or ReadReport()):
        if begins:
            documents.append("")
        documents[-1] += text
    return documents


def guess(file: Path, **settings: Any) -> str:
    """Return what is said about how a file was read, without the file's name."""
    report = ReadReport()
    read(file, report=report, **settings)
    [message] = report.guesses()
    return message.removesuffix(f" ({file})")


def write(path: Path, content: str | bytes) -> Path:
    """Write a file."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
