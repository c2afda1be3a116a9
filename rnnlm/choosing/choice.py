"""What was chosen, value by value, with the reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnlm.config import Config
from rnnlm.config.commenting import commented_yaml

HEAD = ""
"""The key of the comment at the head of a file."""


@dataclass(frozen=True)
class Choice:
    """A configuration with what is to be said of it.

    Attributes
    ----------
    values
        What was chosen, by ``section.key``.
    reasons
        Why, by ``section.key``.
    notes
        What the user should know before training: sentences.
    """

    values: Mapping[str, Any]
    reasons: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def sections(self) -> dict[str, dict[str, Any]]:
        """The values as a configuration file has them."""
        sections: dict[str, dict[str, Any]] = {}
        for name, value in self.values.items():
            section, _, key = name.partition(".")
            sections.setdefault(section, {})[key] = value
        return sections

    def to_yaml(self) -> str:
        """Return a commented configuration file."""
        return commented_yaml(self.sections, self.comments(Config.model_validate(self.sections)))

    def comments(self, config: Config) -> dict[str, str]:
        """Return the notes, and the reasons of all values that a configuration still has."""
        having = {f"{name}.{key}": value for name, section in config for key, value in section}
        kept = {name: reason for name, reason in self.reasons.items() if having[name] == self.values[name]}
        return {HEAD: "\n".join(self.notes), **kept}
