"""The page in a real browser, where there is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnlm.inspect.kinds import read
from rnnlm.inspect.page import render
from rnnlm.inspect.properties import properties
from rnnlm.inspect.reading import Activations, Document, Predictions, Reading, Token
from rnnlm.inspect.scores import measure
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.translator import Translator

TEXT = "The dog sees the old cat (at night).\n" * 8
HOSTILE = ["<script>document.title = 'x'</script>", '"', "'", "&", "🙈", "שלום", "\0", "\u202e", " ", "\n", "<!--"]


def wait(page: Any, condition: str) -> None:
    """Wait until something holds; Playwright's own way to wait is one of those that the page forbids."""
    for _ in range(1000):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise TimeoutError(condition)


class Opened:
    """A page in a browser, what it complains of, and what it asks for."""

    def __init__(self, browser: Any, reading: Reading, directory: Path, **options: Any) -> None:
        self.reading, self.file = reading, directory / "page.html"
        scores = measure(reading.layers, properties(reading.tokens))
        self.file.write_text(render(reading, scores, "A page"), encoding="utf-8", newline="")
        self.page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.file.as_uri())
        self.page.wait_for_selector("#details h3")

    def close(self) -> None:
        """Close it; it must have asked for nothing but itself, and complained of nothing."""
        assert self.complaints == []
        assert self.requests == [self.file.as_uri()]
        self.page.close()

    @property
    def details(self) -> list[str]:
        """The lines of the panel about a token."""
        found: list[str] = self.page.locator("#details").inner_text().split("\n")
        return [line for line in found if line]

    @property
    def chosen(self) -> int:
        """The number of the token that is chosen."""
        spans = "[...document.querySelectorAll('#text span')]"
        found: int = self.page.evaluate(f"{spans}.findIndex(span => span.classList.contains('at'))")
        return found

    def check_details(self, k: int) -> None:
        """Compare the panel with what was read at token k."""
        predictions, lines = self.reading.predictions, self.details
        assert lines[1] == f"Token {k + 1} of {len(self.reading.tokens)}"
        assert lines[2].startswith(f"{predictions.surprises[k]:.2f} bits")
        assert lines[2].endswith(f"rank {predictions.ranks[k]}")
        shares = [float(line.removesuffix(" %")) for line in lines if line.endswith(" %")]
        np.testing.assert_allclose(shares, 100 * predictions.probabilities[k], atol=0.051)


@pytest.fixture
def opened(browser: Any, char_model: LanguageModel, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(browser, read(char_model, [Document(TEXT)]), tmp_path)
    yield opened
    opened.close()


def test_pointing_at_a_token_shows_what_was_expected(opened: Opened) -> None:
    opened.check_details(0)
    spans = opened.page.locator("#text span")
    spans.nth(7).hover()
    opened.check_details(7)
    opened.page.mouse.move(0, 0)
    opened.check_details(0)
    spans.nth(9).click()
    opened.page.mouse.move(0, 0)
    opened.check_details(9)
    assert opened.chosen == 9


def test_all_can_be_done_with_the_keyboard(opened: Opened) -> None:
    page = opened.page
    page.locator("#text").focus()
    for key, place in (("ArrowRight", 1), ("ArrowDown", 21), ("ArrowLeft", 20), ("Home", 0), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        assert opened.chosen == place
        opened.check_details(place)
    last = len(opened.reading.tokens) - 1
    page.keyboard.press("End")
    assert opened.chosen == last
    # What the panel shows is said as well.
    assert f"Token {last + 1} of {last + 1}" in page.locator("#said").inner_text()
    page.locator("#before").focus()
    page.keyboard.press("Enter")
    assert opened.chosen == last - 1
    page.locator("#units a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#map")
    assert "Unit" in page.locator("#says").inner_text()
    before = int(page.locator("#unit").input_value())
    page.locator("#map").focus()
    page.keyboard.press("ArrowDown" if before == 0 else "ArrowUp")
    wait(page, f"document.getElementById('unit').value !== '{before}'")
    page.keyboard.press("ArrowLeft")
    assert opened.chosen == last - 2
    focusable = page.evaluate("[...document.querySelectorAll('select, input, button, a, [tabindex]')].length")
    assert focusable > 8


def test_a_unit_colours_the_text(opened: Opened) -> None:
    page, layer = opened.page, opened.reading.layers[1]
    page.locator("#part").select_option("1.h")
    page.wait_for_selector("#of-unit:visible")
    page.locator("#unit").fill("5")
    wait(page, "location.hash === '#1.h:5' && says.textContent.startsWith('Unit 5 ')")
    values = layer.parts["h"][:, 5]
    steps = np.rint(15 * values / np.abs(values).max())
    shades = np.rint(5 * np.sqrt(np.abs(steps) / 15)).astype(int)
    signs = np.where(steps > 0, "p", "n")
    names = [f"{sign}{shade}" if shade else "" for sign, shade in zip(signs, shades, strict=True)]
    classes = page.evaluate("[...document.querySelectorAll('#text span')].map(span => span.className)")
    of_unit = [next((name for name in each.split() if name[0] in "pn"), "") for each in classes]
    assert of_unit[:-1] == names[:-1]
    assert of_unit[-1] == ""  # the end is not read
    page.locator("#text span").nth(4).hover()
    [said] = [line for line in opened.details if line.startswith("unit 5")]
    assert float(said.rpartition(" ")[2].replace("−", "-")) == pytest.approx(values[4], abs=0.05)
    page.locator("#part").select_option("")
    page.wait_for_selector("#of-surprise:visible")
    assert page.locator("#map").is_hidden()


def test_the_heat_map_shows_and_chooses(opened: Opened) -> None:
    page = opened.page
    page.goto(f"{opened.file.as_uri()}#0.h:3")  # the address says what is chosen
    page.wait_for_selector("#map:visible")
    label = page.locator("#map").get_attribute("aria-label")
    assert label.startswith("layer 1, h: unit 3 of 16, token 1, of tokens 1 to ")
    box = page.locator("#map").bounding_box()
    page.locator("#map").click(position={"x": 8 * 10 + 4, "y": box["height"] * 7.5 / 16})
    wait(page, "document.getElementById('unit').value === '7'")
    assert opened.chosen == 10
    # The sign of a unit's values is that of its colours.
    colours = page.evaluate(
        """() => {
          const map = document.getElementById('map'), row = map.height / 16;
          const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height);
          const place = (u, k) => 4 * (Math.floor((u + .5) * row) * map.width + (8 * k + 4) * devicePixelRatio);
          return [0, 1, 2, 3].map(u => [20, 21, 22].map(k => [...data.slice(place(u, k), place(u, k) + 4)]));
        }"""
    )
    values = opened.reading.layers[0].parts["h"]
    largest = np.abs(values).max()
    for u in range(4):
        for j, k in enumerate((20, 21, 22)):
            red, _, blue, alpha = colours[u][j]
            if abs(values[k, u]) > 0.1 * largest:
                assert (blue > red) == (values[k, u] > 0)
                assert alpha == pytest.approx(255 * np.sqrt(abs(values[k, u]) / largest), abs=12)
    opened.requests[:] = [opened.file.as_uri()]


def test_hostile_text_is_shown_as_text(browser: Any, tmp_path: Path) -> None:
    tokens = [Token(text, begins="text" if k == 0 else "") for k, text in enumerate(HOSTILE * 4)]
    predictions = Predictions.none(HOSTILE, len(tokens))
    rng = np.random.default_rng(0)
    log_probs = np.log(rng.dirichlet(np.ones(len(HOSTILE)), size=len(tokens)))
    predictions.add(np.arange(len(tokens)), log_probs, np.arange(len(tokens)) % len(HOSTILE))
    values = rng.normal(size=(len(tokens), 3)).astype(np.float32)
    layer = Activations("layer 1", {"h": values}, np.ones(len(tokens), bool))
    opened = Opened(browser, Reading("a network", "token", tokens, predictions, [layer]), tmp_path)
    page = opened.page
    shown = page.evaluate("[...document.querySelectorAll('#text span')].map(span => span.textContent)")
    assert shown[: len(HOSTILE)] == [*HOSTILE[:6], "⟨U+0000⟩", "⟨U+202E⟩", " ", "↵\n", "<!--"]
    page.locator("#text span").first.click()
    answers = [line for line in opened.details[3:] if not line.endswith(" %")]
    assert set(answers) <= {*HOSTILE[:6], "⟨U+0000⟩", "⟨U+202E⟩", "␣", "↵", "<!--"}
    assert page.title() == "A page"
    opened.close()


def test_a_translator_is_shown(browser: Any, translator_run: Path, tmp_path: Path) -> None:
    opened = Opened(browser, read(Translator.load(translator_run), [Document("eins zwei")]), tmp_path)
    assert "not predicted" in opened.details
    opened.page.locator("#part").select_option("1.z")
    opened.page.wait_for_selector("#map:visible")
    opened.page.locator("#text span").first.hover()
    assert opened.details[-1].endswith("not read")  # by the decoder
    assert opened.page.locator("svg.alignment").count() == 1
    opened.close()


LUMINANCE = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const body = getComputedStyle(document.body), paper = parse(body.backgroundColor), ink = parse(body.color);
  return Object.fromEntries([...document.querySelectorAll('.scale li')].map(item => {
    const [r, g, b, a = 1] = parse(getComputedStyle(item).backgroundColor);
    const mixed = [r, g, b].map((v, k) => a * v + (1 - a) * paper[k]);
    const [high, low] = [light(mixed), light(ink)].sort((x, y) => y - x);
    return [item.className, (high + .05) / (low + .05)];
  }));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_the_screen_and_can_be_read(
    browser: Any, char_model: LanguageModel, tmp_path: Path, scheme: str, width: int
) -> None:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    opened = Opened(browser, read(char_model, [Document(TEXT)]), tmp_path, **options)
    page = opened.page
    page.locator("#part").select_option("0.h")
    page.wait_for_selector("#map:visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)" if scheme == "light" else "rgb(23, 23, 23)"
    )
    contrasts = page.evaluate(LUMINANCE)
    assert len(contrasts) == 20
    assert min(contrasts.values()) >= 4.5  # of text on every colour, as WCAG 2.2 asks for
    opened.close()
