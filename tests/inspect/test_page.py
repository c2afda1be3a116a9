import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.inspect.kinds import read
from rnnlm.inspect.numbers import to_dict
from rnnlm.inspect.packing import STEPS
from rnnlm.inspect.page import render, write_page
from rnnlm.inspect.properties import Property, properties
from rnnlm.inspect.reading import Activations, Document, Predictions, Reading, Token
from rnnlm.inspect.scores import measure
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.translator import Translator

HOSTILE = "</script><script>alert('x')</script>"


def made_up(*texts: str, answers: tuple[str, ...] = ("a", "b", HOSTILE)) -> Reading:
    """Return a reading of some tokens, with one layer of two units."""
    first, *others = texts
    tokens = [Token(first, begins="text", label=f"label {HOSTILE}"), *map(Token, others)]
    predictions = Predictions.none(answers, len(tokens))
    rng = np.random.default_rng(0)
    log_probs = np.log(rng.dirichlet(np.ones(len(answers)), size=len(tokens)))
    predictions.add(np.arange(len(tokens)), log_probs, rng.integers(len(answers), size=len(tokens)))
    values = rng.normal(size=(len(tokens), 2)).astype(np.float32)
    layer = Activations("layer 1", {"h": values}, np.ones(len(tokens), bool))
    return Reading("a network", "token", tokens, predictions, [layer])


def page_of(reading: Reading) -> str:
    return render(reading, measure(reading.layers, properties(reading.tokens)), "A page")


class Text(HTMLParser):
    """Collects the spans of the text, and how many elements there are of each kind."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.spans: list[tuple[str, str]] = []
        self.elements: list[str] = []
        self._in_text = self._in_span = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        values = dict(attrs)
        if values.get("id") == "text":
            self._in_text = True
        if tag == "span" and self._in_text:
            self._in_span = True
            self.spans.append((values.get("class") or "", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_span = self._in_span and tag != "span"
        self._in_text = self._in_text and tag != "div"

    def handle_data(self, data: str) -> None:
        if self._in_span:
            classes, text = self.spans[-1]
            self.spans[-1] = classes, text + data


def packed(page: str, name: str, dtype: str) -> np.ndarray:
    found = re.search(f'<script type="text/plain" id="{re.escape(name)}">([^<]*)</script>', page)
    assert found is not None, name
    return np.frombuffer(zlib.decompress(base64.b64decode(found[1])), dtype)


def test_every_token_has_the_colour_of_its_surprise(char_model: LanguageModel) -> None:
    reading = read(char_model, [Document("The dog.\nThe Zoo.")])
    spans = Text(page_of(reading)).spans
    assert "".join(text for _, text in spans) == "The dog.↵\nThe Zoo.¶"
    bits = reading.predictions.surprises
    expected = [f"s{min(8, int(each))}" for each in bits]
    assert [classes.split()[-1] for classes, _ in spans] == expected
    assert [classes for classes, _ in spans if "u" in classes] == [f"u {expected[13]}"]  # Z is unknown


def test_the_numbers_are_in_the_page(char_model: LanguageModel) -> None:
    reading = read(char_model, [Document("The dog sees the old cat at night.")])
    page, predictions = page_of(reading), reading.predictions
    found = re.search('<script type="text/plain" id="data">(.*)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    np.testing.assert_allclose(packed(page, "surprises", "<f4"), predictions.surprises, rtol=1e-6)
    np.testing.assert_array_equal(packed(page, "ranks", "<i4"), predictions.ranks)
    likeliest = [data["answers"][k] for k in packed(page, "likeliest", "<i4")]
    names = {" ": "␣", "\n": "↵"}
    tokens = char_model.vocabulary.decode(predictions.likeliest.ravel().tolist())
    assert likeliest == [names.get(token, token) for token in tokens]
    np.testing.assert_array_equal(packed(page, "probabilities", "<f4"), predictions.probabilities.ravel())
    assert data["layers"] == [{"name": f"layer {k}", "units": {"h": 16}} for k in (1, 2)]
    steps = packed(page, "values-1.h", "i1").reshape(16, -1)
    largest = packed(page, "largest-1.h", "<f4")
    values = steps.T / STEPS * largest
    np.testing.assert_allclose(values, reading.layers[1].parts["h"], atol=float(largest.max()) / STEPS)
    scores = measure(reading.layers, properties(reading.tokens))
    np.testing.assert_allclose(packed(page, "scores-1.h", "<f4"), scores.of_parts[1, "h"].ravel(), atol=1e-6)


def test_the_browser_may_run_the_script_of_the_page_and_no_other(char_model: LanguageModel) -> None:
    page = page_of(read(char_model, [Document("The dog.")]))
    [script] = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert not re.search('src=|href=(?!"#)', page)


def test_text_is_never_markup() -> None:
    tokens = [*([HOSTILE, "<!--", "&lt;", "\0", "\u202e", "\ud800", "🙈", "אב", '"', " ", "\t"] * 10)]
    places = np.arange(len(tokens)) % 7 / 7
    reading, plain_reading = made_up(*tokens), made_up(*["a"] * len(tokens), answers=("a", "b", "c"))
    pages = [
        render(each, measure(each.layers, [Property(name, places, False)]), title)
        for each, name, title in ((reading, HOSTILE, HOSTILE), (plain_reading, "a property", "A page"))
    ]
    assert pages[0].count("<script>") == 1
    hostile, plainly = map(Text, pages)
    assert hostile.elements == plainly.elements
    shown = [HOSTILE, "<!--", "&lt;", "⟨U+0000⟩", "⟨U+202E⟩", "?", "🙈", "אב", '"', " ", "⇥\t"]
    assert [text for _, text in hostile.spans[:11]] == shown


def test_lines_and_texts_begin_blocks() -> None:
    reading = made_up(*("line of text\n" * 60))
    blocks = re.findall("<p>(.*?)</p>", page_of(reading).partition('id="text"')[2], re.DOTALL)
    ends = [re.sub("<[^>]*>", "", block)[-6:] for block in blocks if "<span" in block]
    assert len(ends) == 3
    assert set(ends) == {" text↵\n"[-6:]}


def test_units_that_are_no_better_than_chance_are_left_out() -> None:
    rng = np.random.default_rng(1)
    reading = made_up(*("".join(rng.choice(["(in) ", "word ", "a ", "so. ", "(not in it) "], 60))))
    depths = np.cumsum([{"(": 1, ")": -1}.get(token.text, 0) for token in reading.tokens])
    reading.layers[0].parts["h"][:, 0] = 2.0 * depths - 1
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td>', page_of(reading))
    assert rows[0][0] == "inside brackets"  # what is said best comes first
    by_name = {name: re.findall(r'<a href="(.*?)">.*?<b>(.*?)</b>', buttons) for name, buttons in rows}
    assert by_name["inside brackets"] == [("#0.h:0", "+1.00")]
    assert dict(rows)["after a full stop"] == "none"


def test_where_a_translator_looked_is_drawn(translator_run: Path) -> None:
    reading = read(Translator.load(translator_run), [Document("eins zwei drei")])
    page = page_of(reading)
    assert page.count('<svg class="alignment"') == 1
    spans = Text(page).spans
    assert [classes for classes, _ in spans[:4]] == ["", "", "", "e"]  # what was read was not predicted
    assert all("s" in classes for classes, _ in spans[4:])


def test_the_numbers_as_plain_data(char_model: LanguageModel) -> None:
    reading = read(char_model, [Document("The dog sees the old cat at night. The fox.")])
    scores = measure(reading.layers, properties(reading.tokens))
    numbers = json.loads(json.dumps(to_dict(reading, scores), allow_nan=False))
    assert numbers["bits"] == pytest.approx(reading.bits)
    assert len(numbers["tokens"]) == len(reading.tokens)
    token = numbers["tokens"][3]
    assert token["token"] == " "
    assert token["surprise"] == pytest.approx(float(reading.predictions.surprises[3]))
    assert token["rank"] == reading.predictions.ranks[3]
    assert len(token["expected"]) == 10
    assert token["expected"][0][1] == pytest.approx(float(reading.predictions.probabilities[3, 0]))
    for of_property in numbers["properties"]:
        unit = of_property["units"][0]
        layer = next(layer for layer in reading.layers if layer.name == unit["layer"])
        values = layer.parts[unit["part"]][:, unit["unit"]]
        assert unit["values"][:-1] == pytest.approx(values[:-1].tolist(), abs=1e-5)
        assert unit["values"][-1] is None  # the end is not read


def test_a_page_that_cannot_be_written_is_refused(char_model: LanguageModel, tmp_path: Path) -> None:
    reading = read(char_model, [Document("The dog.")])
    scores = measure(reading.layers, [])
    with pytest.raises(RnnlmError, match="page cannot be written"):
        write_page(tmp_path / "nowhere" / "page.html", reading, scores, "A page")
    write_page(tmp_path / "page.html", reading, scores, "A page")
    assert "too short" in (tmp_path / "page.html").read_text(encoding="utf-8")
