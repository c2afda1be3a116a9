"""A text on one HTML page, coloured by what the model found surprising in it or by one of its units."""

import json
import math
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.files import explaining, write_atomically
from rnnlm.inspect.packing import STEPS, in_steps, packed
from rnnlm.inspect.reading import Reading, Token
from rnnlm.inspect.scores import Found, Scores, best
from rnnlm.inspect.visible import named, plain, visible
from rnnlm.report.alignment import draw
from rnnlm.report.markup import escape, number
from rnnlm.report.page import page

MOST_BITS = 8
"""Bits from which a token has the strongest colour."""

SHADES = 5
"""Shades of a unit's values on either side of 0."""

BLOCK = 300
"""Tokens from which a line, or a sentence, is the last of a block that the browser lays out at once."""


def write_page(path: Path, reading: Reading, scores: Scores, title: str) -> None:
    """Write the `render` of a reading to a file.

    Raises
    ------
    RnnlmError
        If it cannot be written.
    """
    with explaining(path, "the page cannot be written", "; choose another `out`"):
        write_atomically(path, render(reading, scores, title))


def render(reading: Reading, scores: Scores, title: str) -> str:
    """Return the page of a text; all text is escaped, and the page runs no script but its own.

    Parameters
    ----------
    reading
        The text as a model reads it.
    scores
        How well its units say what can be named in the text.
    title
        What the page is called.
    """
    sections = {
        "The text": "\n".join([_controls(reading), _legends(), _text(reading)]),
        "Units over time": MAP.format(last=len(reading.tokens) - 1),
        "What units say": "\n".join(_units(reading, scores)),
    }
    if reading.alignments:
        figures = (f"<figure>\n{draw(each)}\n</figure>" for each in reading.alignments if each.source)
        sections["Where the translator looked"] = "\n".join(figures)
    # At the end, so that the text is seen before all numbers are there.
    sections[[*sections][-1]] += "\n".join(["", *_data(reading, scores)])
    resources = files("rnnlm.inspect")
    style, script = (resources.joinpath(f"inspect.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return page(title, sections, script, style=style)


SURPRISES = {
    "token": "The surprise of a token is −log₂ of the probability that the model gave it before it was read.",
    "label": "The surprise is −log₂ of the probability that the model gives the text's label after each token.",
    "tag": "The surprise is −log₂ of the probability that the model gives to the tag which it gives to a token.",
}
"""What surprise is, by what is predicted."""

MAP = """\
<p class="note">A row for each unit of the part that colours the text, a column for each token around the chosen
one: blue above 0, orange below. A click chooses both, and so do the arrow keys.</p>
<p class="note" id="no-unit">Choose a part of the network above, or a unit below.</p>
<div id="over-time" hidden>
<label class="controls">Token <input type="range" id="time" min="0" max="{last}" value="0"></label>
<canvas id="map" tabindex="0" role="img"></canvas>
</div>"""


def _controls(reading: Reading) -> str:
    groups = []
    for k, layer in enumerate(reading.layers):
        options = (f'<option value="{k}.{name}">{layer.name}, {name}</option>' for name in layer.parts)
        groups.append(f'<optgroup label="{layer.name}">{"".join(options)}</optgroup>')
    return f"""\
<p>{escape(reading.model)}. {_summary(reading)}</p>
<p class="note" id="keys">Point at a token, or tap it, to see what the model expected there; in the text the arrow
keys go from token to token. ␣ is a space, ↵ the end of a line, ¶ that of a sentence or of the text.</p>
<div class="controls">
<label>Coloured by <select id="part"><option value="">surprise</option>{"".join(groups)}</select></label>
<label>unit <input type="number" id="unit" min="0" value="0" step="1" disabled></label>
<button type="button" id="before">‹ previous token</button>
<button type="button" id="after">next token ›</button>
</div>
<noscript><p class="note">Without JavaScript the page shows the surprise of each token, and no more.</p></noscript>
<p id="says"></p>"""


def _summary(reading: Reading) -> str:
    """Say in words how much was read, and how well it was predicted."""
    read = f"{'' if reading.is_whole else 'The first '}{number(len(reading.tokens))} tokens"
    if reading.bits is None:
        return f"{read}."
    return (
        f"{read}, {reading.bits:.2f} bits of surprise a {reading.answer} on average. {SURPRISES[reading.answer]}"
    )


def _legends() -> str:
    bits = "".join(f'<li class="s{k}">{k}{" and more" * (k == MOST_BITS)}</li>' for k in range(MOST_BITS + 1))
    below, above = (
        "".join(f'<li class="{sign}{k}"></li>' for k in shades)
        for sign, shades in (("n", range(SHADES, 0, -1)), ("p", range(1, SHADES + 1)))
    )
    return (
        f'<div id="of-surprise">Bits of surprise: <ul class="scale">{bits}</ul></div>\n'
        f'<div id="of-unit" hidden>Value of the unit: <ul class="scale">{below}<li>0</li>{above}</ul></div>'
    )


def _text(reading: Reading) -> str:
    # No white space between the blocks, which would be shown.
    blocks = "".join(f"<p>{''.join(block)}</p>" for block in _blocks(reading))
    return f"""\
<div class="reading" id="reading">
<div id="text" lang="" tabindex="0" role="group" aria-label="The text" aria-describedby="keys">{blocks}</div>
<aside id="details" aria-label="The chosen token"></aside>
<div id="said" class="unseen" role="status"></div>
</div>"""


def _blocks(reading: Reading) -> Iterator[list[str]]:
    """Yield the tokens in blocks that end with a line, a sentence or a text."""
    block: list[str] = []
    length, before = 0, ""
    for token, bits in zip(reading.tokens, reading.predictions.surprises.tolist(), strict=True):
        if length >= BLOCK and (token.begins or before == "\n"):
            yield block
            block, length = [], 0
        elif token.begins and block:
            block.append("\n")
        block.append(f"{' ' * token.space}<span{_classes(token, bits)}>{escape(visible(token))}</span>")
        length, before = length + 1, token.text
    yield block


def _classes(token: Token, bits: float) -> str:
    classes = {"unknown": ["u"], "end": ["e"]}.get(token.role, [])
    if math.isfinite(bits):
        classes = [*classes, f"s{min(MOST_BITS, int(bits))}"]
    return f' class="{" ".join(classes)}"' if classes else ""


def _units(reading: Reading, scores: Scores) -> Iterator[str]:
    yield (
        '<p class="note">The score is from −1 to 1: 1 where the unit is always higher at tokens that have the '
        "property (or rises with it, where it is an amount), −1 where it is always lower, 0 where it says nothing "
        "of it. Chance is the best score of any unit where the properties stand beside other tokens than their "
        "own; what is no better is left out. A click on a unit colours the text by it.</p>"
    )
    if not scores.properties:
        yield '<p class="note" id="units">The text is too short to measure anything in it.</p>'
        return
    yield '<div class="table" tabindex="0" id="units">\n<table class="units">'
    yield '<thead><tr><th scope="col">Property</th><th scope="col">Units that say it best</th>'
    yield '<th scope="col">Chance</th><th scope="col">Tokens</th></tr></thead>\n<tbody>'
    found = [best(scores, k) for k in range(len(scores.properties))]
    for k in sorted(range(len(found)), key=lambda k: -abs(found[k][0].score)):
        links = "".join(_link(reading, each) for each in found[k] if abs(each.score) > scores.chance[k])
        have = int(np.count_nonzero(scores.properties[k].values))
        yield (
            f'<tr><th scope="row">{escape(plain(scores.properties[k].name))}</th><td>{links or "none"}</td>'
            f"<td>{scores.chance[k]:.2f}</td><td>{number(have)}</td></tr>"
        )
    yield "</tbody>\n</table>\n</div>"


def _link(reading: Reading, found: Found) -> str:
    layers = reading.layers
    name = (
        f"{found.part} {found.unit}"
        if len(layers) == 1
        else f"{layers[found.layer].name}, {found.part} {found.unit}"
    )
    address = f"#{found.layer}.{found.part}:{found.unit}"
    return f'<a href="{address}">{name} <b>{_signed(found.score)}</b></a>'


def _signed(score: float) -> str:
    return f"{score:+.2f}".replace("-", "−")


def _data(reading: Reading, scores: Scores) -> Iterator[str]:
    """Yield the numbers of the page, as elements that the browser neither shows nor runs."""
    predictions = reading.predictions
    used, likeliest = np.unique(predictions.likeliest, return_inverse=True)
    data = {
        "steps": STEPS,
        "shades": SHADES,
        "expected": predictions.likeliest.shape[1],
        "answers": ["" if k < 0 else named(predictions.answers[k]) for k in used.tolist()],
        "properties": [plain(each.name) for each in scores.properties],
        "layers": [
            {"name": layer.name, "units": {name: values.shape[1] for name, values in layer.parts.items()}}
            for layer in reading.layers
        ],
    }
    yield _element("data", json.dumps(data).replace("<", "\\u003c"))
    yield _array("surprises", predictions.surprises.astype(np.float32))
    yield _array("ranks", predictions.ranks)
    yield _array("likeliest", likeliest.astype(np.int32))
    yield _array("probabilities", predictions.probabilities)
    for k, layer in enumerate(reading.layers):
        yield _array(f"read-{k}", layer.read.astype(np.uint8))
        for name, values in layer.parts.items():
            steps, largest = in_steps(values)
            yield _array(f"values-{k}.{name}", steps)
            yield _array(f"largest-{k}.{name}", largest)
            yield _array(f"scores-{k}.{name}", scores.of_parts[k, name].astype(np.float32))


def _array(name: str, array: NDArray[Any]) -> str:
    return _element(name, packed(array))


def _element(name: str, content: str) -> str:
    return f'<script type="text/plain" id="{name}">{content}</script>'
