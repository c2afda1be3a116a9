"""The configuration's keys, for people and for their editors."""

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from rnnlm.config import SECTIONS, Config
from rnnlm.config.commenting import commented_yaml


def allowed_values(field: FieldInfo) -> str:
    """Say in Markdown which values a key takes."""
    annotation = field.annotation
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in parts)
    kind = parts[0] if parts and get_origin(annotation) is not list else annotation
    if get_origin(kind) is list and get_origin(get_args(kind)[0]) is Literal:
        return f"some of {', '.join(f'`{value}`' for value in get_args(get_args(kind)[0]))}"
    kinds: dict[Any, str] = {
        int: "whole number",
        float: "number",
        bool: "`true`, `false`",
        str: "text",
        list[int]: "whole numbers",
    }
    name = kinds[kind]
    return f"{name}, `null`" if type(None) in get_args(annotation) else name


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file.

    It is in the words of draft 7, which every editor knows.
    """
    sections = {}
    for name, section in SECTIONS.items():
        # A section with nothing under it is null.
        sections[name] = {**section.model_json_schema(), "title": name, "type": ["object", "null"]}
        for key in sections[name]["properties"].values():
            del key["title"]  # the name again, in capitals
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rnnlm configuration",
        "description": Config.__doc__,
        "type": ["object", "null"],
        "properties": sections,
        "additionalProperties": False,
    }


def example() -> str:
    """Return a YAML file of all keys with their meanings, the values they take, and their defaults."""
    comments = {"": "Every key with its default: keep what you change, leave out the rest."}
    for name, section in SECTIONS.items():
        comments[name] = " ".join((section.__doc__ or "").split())
        for key, field in section.model_fields.items():
            comments[f"{name}.{key}"] = f"{field.description} ({allowed_values(field)})".replace("`", "")
    defaults = {
        name: {key: field.default for key, field in s.model_fields.items()} for name, s in SECTIONS.items()
    }
    return commented_yaml(defaults, comments)
