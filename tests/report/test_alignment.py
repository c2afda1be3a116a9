import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.models.translator import Alignment, Translated
from rnnlm.report.alignment import CELL, draw, render, write_page

HOSTILE = '<script>alert("x")</script>&'


def make_alignment(source: list[str], target: list[str], weights: list[list[float]]) -> Alignment:
    return Alignment(Translated(" ".join(target[:-1]), target[:-1], -1.0), source, target, np.array(weights))


def drawn(alignment: Alignment) -> ElementTree.Element:
    return ElementTree.fromstring(re.sub(' xmlns="[^"]*"', "", draw(alignment)))


def test_every_weight_has_its_place() -> None:
    svg = drawn(make_alignment(["ein", "hund"], ["a", "dog"], [[0.75, 0.25], [0.0, 1.0]]))
    assert [text.text for text in svg.iter("text")] == ["ein", "hund", "a", "dog"]
    cells = list(svg.iter("rect"))
    assert [cell.attrib["fill-opacity"] for cell in cells] == ["0.75", "0.25", "1.00"]  # 0 is left blank
    assert [cell.findtext("title") for cell in cells] == ["a, ein: 75%", "a, hund: 25%", "dog, hund: 100%"]
    first, second, below = ((int(cell.attrib["x"]), int(cell.attrib["y"])) for cell in cells)
    assert (second[0] - first[0], second[1] - first[1]) == (CELL, 0)
    assert (below[0] - second[0], below[1] - second[1]) == (0, CELL)
    assert int(svg.attrib["width"]) == below[0] + CELL
    assert int(svg.attrib["height"]) == below[1] + CELL


def test_text_is_never_markup() -> None:
    alignment = make_alignment([HOSTILE], [HOSTILE, "END"], [[1.0], [1.0]])
    page = render([alignment])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 6  # the caption, both names, and two cells, of which one has both
    assert drawn(alignment).findtext("text") == HOSTILE


def test_a_text_without_tokens_has_no_picture(tmp_path: Path) -> None:
    empty = Alignment(Translated("", [], None), [], [], np.empty((0, 0)))
    page = render([empty, make_alignment(["ja"], ["yes", "END"], [[1.0], [1.0]])])
    assert page.count("<figure>") == page.count("<svg") == 1
    write_page(tmp_path / "page.html", [empty])
    assert "<figure>" not in (tmp_path / "page.html").read_text()
    with pytest.raises(RnnlmError, match="cannot be written"):
        write_page(tmp_path / "nowhere" / "page.html", [empty])
