"""Write docs/configuration.md from the configuration's code; with --check, only say whether it is current.

Usage: python scripts/document_configuration.py [--check]
"""

import inspect
import json
import sys
from pathlib import Path

from rnnlm.config import SECTIONS
from rnnlm.config.reference import allowed_values

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"
HEADER = """\
# Configuration

<!-- Written by scripts/document_configuration.py; change rnnlm/config/schema.py and run it again. -->

`rnnlm train --config FILE` reads a YAML file with the sections below. Every section and every key may be left out.
`--set section.key=value` overrides the file. A key that is not listed here is an error, and the message names the
nearest one that is.

`rnnlm config --example` prints a commented file of all keys with their defaults. `rnnlm config --schema` prints a
JSON Schema, by which an editor with the YAML language server (VS Code's YAML extension, Neovim, Emacs, Helix and
others) completes the keys, explains them and marks mistakes. Write it beside the configurations,

    rnnlm config --schema > rnnlm.schema.json

and begin each of them with the line

```yaml
# yaml-language-server: $schema=rnnlm.schema.json
```
"""


def document() -> str:
    """Make the whole document."""
    lines = [HEADER]
    for section, model in SECTIONS.items():
        lines += [f"## {section}", "", inspect.cleandoc(model.__doc__ or ""), ""]
        lines += ["| key | values | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            default = json.dumps(field.default).strip('"')
            lines.append(f"| `{name}` | {allowed_values(field)} | `{default}` | {field.description} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            DOCUMENT.read_text(encoding="utf-8") != document() and f"{DOCUMENT} is not current; run {__file__}"
        )
    DOCUMENT.write_text(document(), encoding="utf-8")
