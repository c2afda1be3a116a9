"""Values of a configuration as YAML, with comments for people."""

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

WIDTH = 100


def commented_yaml(values: Mapping[str, Mapping[str, Any]], comments: Mapping[str, str]) -> str:
    """Write values with comments above them.

    Parameters
    ----------
    values
        By section and key.
    comments
        By ``section.key``, by ``section``, and under "" that at the head of the file; those of other keys are left
        out.

    Returns
    -------
    str
        Without comments, what `Config.to_yaml` returns.
    """
    lines = _comment(comments.get("", ""))
    for name, section in values.items():
        lines += [*([""] if comments and lines else []), *_comment(comments.get(name, "")), f"{name}:"]
        for key, value in section.items():
            lines += _comment(comments.get(f"{name}.{key}", ""), "  ")
            lines += textwrap.indent(yaml.safe_dump({key: value}, allow_unicode=True), "  ").splitlines()
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str = "") -> list[str]:
    """Write each line of a text as a comment."""
    begin = f"{indent}# "
    return [
        line
        for part in text.splitlines()
        for line in textwrap.wrap(part, WIDTH, initial_indent=begin, subsequent_indent=begin)
    ]
