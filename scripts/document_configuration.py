"""Write docs/configuration.md from the configuration's code; with --check, only say whether it is current.

Usage: python scripts/document_configuration.py [--check]
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from rnnlm.config import SECTIONS

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"
HEADER = """\
# Configuration

<!-- Written by scripts/document_configuration.py; change rnnlm/config.py and run it again. -->

`rnnlm train --config FILE` reads a YAML file with the sections below. Every section and every key may be left out.
`--set section.key=value` overrides the file. A key that is not listed here is an error, and the message names the
nearest one that is.
"""


def values(field: FieldInfo) -> str:
    """Say which values a key takes."""
    annotation = field.annotation
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in parts)
    kind = parts[0] if parts else annotation
    kinds = {
        int: "whole number",
        float: "number",
        bool: "`true`, `false`",
        str: "text",
        list[int]: "whole numbers",
    }
    name = kinds[kind]
    return f"{name}, `null`" if parts else name


def document() -> str:
    """Make the whole document."""
    lines = [HEADER]
    for section, model in SECTIONS.items():
        lines += [f"## {section}", "", inspect.cleandoc(model.__doc__ or ""), ""]
        lines += ["| key | values | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            default = json.dumps(field.default).strip('"')
            lines.append(f"| `{name}` | {values(field)} | `{default}` | {field.description} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            DOCUMENT.read_text(encoding="utf-8") != document() and f"{DOCUMENT} is not current; run {__file__}"
        )
    DOCUMENT.write_text(document(), encoding="utf-8")
