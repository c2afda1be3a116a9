"""The page that writes in a real browser, where there is one, beside the program."""

import csv
import json
import random
import re
import socket
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from rnnlm.config import Config
from rnnlm.exchange.html_page import render
from rnnlm.exchange.precision import Precision, rounded
from rnnlm.exchange.precision import matrices as matrices_of
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writing import WritingSettings
from rnnlm.models import kinds
from rnnlm.models.language_model import LanguageModel
from rnnlm.resources import MODEL, SAMPLE_CORPUS
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.sentences import train_punkt
from tests.exchange.test_html_page import model_of
from tests.networks import LANGUAGE_MODELS, make_network, with_large_weights

TEXTS = Path(__file__).parent.parent / "text"
HOSTILE = [
    "<script>alert(1)</script>",
    '"',
    "'",
    "&amp;",
    "\\",
    "😀",
    "שלום",
    "\0",
    "\u202e",
    "<img src=x onerror=a>",
]

READ_AND_WRITE = """([description, weights, ids, number]) => {
  const network = networkOf(description, weights), written = [], rows = [];
  let step = { state: network.zeroState() };
  for (const id of ids) {
    step = network.step(id, step.state);
    rows.push([...network.logProbs(step.hidden)]);
  }
  while (written.length < number) {
    const choices = choicesOf(network.logProbs(step.hidden), [], { temperature: 0, topK: Infinity, topP: 1 });
    written.push(draw(choices));
    step = network.step(written.at(-1), step.state);
  }
  return [rows, written];
}"""
"""Reads ids with the network of a page, then writes the likeliest."""


@contextmanager
def opened(
    browser: Any, model: LanguageModel, path: Path, precision: Precision = "float32", **page: Any
) -> Iterator[Any]:
    """Open the page of a model; nothing may be complained of in it, and nothing asked for but the page itself."""
    file = path / "model.html"
    file.write_text(render(model, "A <model>", precision), encoding="utf-8")
    page = browser.new_page(**page)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert (complaints, requests) == ([], [file.as_uri()])
    page.close()


def settle(page: Any) -> None:
    """Wait until the page has looked at what was typed."""
    page.wait_for_selector("#next:not([aria-busy])", state="attached")


def written(page: Any, seed: str, **settings: Any) -> str:
    """Let the page write from a seed text, and return the text."""
    page.fill("#seed", seed)
    for name, value in settings.items():
        page.fill(f"#{name.replace('_', '-')}", str(value))
    page.click("#write")
    page.wait_for_selector("#stop:disabled")
    text: str = page.text_content("#text")
    return text


def model_with(section: dict[str, Any]) -> LanguageModel:
    """Make a model of characters with a section `model`, its weights so large that a wrong gate would be seen."""
    model = model_of(list(string.ascii_lowercase), TextSettings(tokenizer="characters"))
    network = with_large_weights(make_network(len(model.vocabulary), hidden_size=6, **section, seed=1))
    config = Config.model_validate({"model": {"hidden_size": 6, **section}, "training": {"batching": "stream"}})
    return LanguageModel(network, model.vocabulary, config)


def held(page: str) -> tuple[Any, str]:
    """Return what a page holds of a network: its description, and its weights."""
    data, weights = (
        re.findall(rf'<script id="{name}"[^>]*>(.*?)</script>', page)[0] for name in ("data", "weights")
    )
    return json.loads(data)["network"], weights


def test_the_page_computes_and_writes_as_the_program(browser: Any, tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(29, size=30).tolist()
    with opened(browser, model_with({}), tmp_path) as page:
        for name, section in LANGUAGE_MODELS.items():
            for precision in get_args(Precision):
                model = model_with(section)
                description, weights = held(render(model, name, precision))
                rows, written = page.evaluate(READ_AND_WRITE, [description, weights, ids, 20])
                for matrix in matrices_of(model.network):
                    matrix[...] = rounded(matrix, precision)
                expected = model.log_probs([*ids, *written])
                np.testing.assert_allclose(rows, expected[: len(ids)], atol=1e-4, err_msg=f"{name}, {precision}")
                assert written == expected[len(ids) - 1 : -1].argmax(axis=1).tolist(), (name, precision)


def test_texts_are_written_as_the_program_does(
    browser: Any, word_model: LanguageModel, char_model: LanguageModel, tmp_path: Path
) -> None:
    for model in (kinds.load(MODEL), word_model, char_model):
        assert isinstance(model, LanguageModel)
        with opened(browser, model, tmp_path) as page:
            for seed in (
                "",
                "I think",
                "The cat.",
                "“Well,” she said. I don’t know *what*",
                'He said: "The cat ',
                "So (",
            ):
                assert written(page, seed, temperature=0, length=30) == model.generate(
                    seed, greedy=True, max_tokens=30
                )


def test_the_next_tokens_have_the_chances_with_which_they_are_drawn(
    browser: Any, word_model: LanguageModel, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rows = [word_model.log_probs([1, 5])[-1].astype(float), rng.integers(-4, 0, len(word_model.vocabulary)) / 2]
    with opened(browser, word_model, tmp_path) as page:
        for settings in (
            SamplingSettings(),
            SamplingSettings(temperature=0),
            SamplingSettings(temperature=0.5),
            SamplingSettings(temperature=1e9, top_k=7),
            SamplingSettings(top_k=1),
            SamplingSettings(top_k=1000),
            SamplingSettings(top_p=0.3),
            SamplingSettings(top_p=1e-9),
            SamplingSettings(temperature=1.5, top_k=9, top_p=0.8),
        ):
            for row in rows:
                banned = [0, 1]
                allowed = row.copy()
                allowed[banned] = -np.inf
                [expected] = settings.probabilities(allowed[None])
                choice = page.evaluate(
                    """([row, banned, temperature, k, p]) =>
                      choicesOf(row, banned, { temperature, topK: k ?? Infinity, topP: p ?? 1 })""",
                    [row.tolist(), banned, settings.temperature, settings.top_k, settings.top_p],
                )
                assert choice["ids"] == np.flatnonzero(expected).tolist(), settings
                np.testing.assert_allclose(choice["chances"], expected[choice["ids"]], rtol=1e-9)
        for temperature in (1, 0.5):
            page.fill("#temperature", str(temperature))
            page.fill("#seed", "the cat")
            settle(page)
            shown = page.eval_on_selector_all(
                "#next button", "all => all.map(each => each.innerText.split('\\n'))"
            )
            writing = WritingSettings(SamplingSettings(temperature))
            likeliest = word_model.writer.next_tokens("the cat", 10, writing=writing)
            assert [line[1] for line in shown] == [f"{100 * p:.1f}%" for _, p in likeliest if p >= 0.0005]


def sample_texts() -> list[str]:
    """Return texts of many languages, comments, and rows of characters that only a test would write."""
    texts = []
    for name in ("languages.txt", "quoted_sentences.txt", "sentences.txt"):
        lines = (TEXTS / name).read_text(encoding="utf-8").splitlines()
        texts += [*lines, *(" ".join(lines[k : k + 4]) for k in range(0, len(lines), 4))]
    with SAMPLE_CORPUS.open(encoding="utf-8", newline="") as file:
        texts += [text for row in csv.reader(file) for text in row]
    rng = random.Random(0)
    characters = [
        *" .,:;?!\"'`()[]{}<>-–—*@#$%&/\\^_=~+|«»“”‘’„‚…0123aAbsStTdDmMnNrRlLvVİıſßς日本한은²½é😀\u0301\u200d\n"
    ]
    characters += [
        "can't",
        "'tis ",
        "n't",
        "http://",
        "www.",
        "``",
        "''",
        "--",
        "...",
        "dit",
        "je ",
        "e.g. ",
        "Mr. ",
    ]
    characters += [
        "U.S. ",
        "The ",
        " :)",
        "!1!",
        "<b>",
        "</p>",
        "[x](y)",
        "**b**",
        "~~s~~",
        "don’t",
        "&amp;",
        "&#39;",
        "&lt;",
    ]
    return [*texts, *("".join(rng.choices(characters, k=rng.randint(1, 25))) for _ in range(1000)), "a, " * 20_000]


@pytest.mark.parametrize(
    "settings",
    [
        TextSettings(tokenizer="nltk"),
        TextSettings(tokenizer="nltk", lowercase=False, keep_lines=True),
        TextSettings(tokenizer="nltk", clean=True, sentences=True),
        TextSettings(tokenizer="whitespace"),
        TextSettings(tokenizer="whitespace", join="none", clean=True),
        TextSettings(tokenizer="characters", lowercase=True),
    ],
)
def test_text_is_cut_and_joined_as_the_program_does(browser: Any, settings: TextSettings, tmp_path: Path) -> None:
    texts = sample_texts()
    if settings.sentences:
        punkt = train_punkt(texts)
        settings = TextSettings(**{**vars(settings), "punkt": punkt})
    assert_cut_and_joined(browser, settings, texts, tmp_path)


def test_sentences_of_older_vocabularies_are_found(browser: Any, tmp_path: Path) -> None:
    model = kinds.load(MODEL)
    assert isinstance(model, LanguageModel)
    settings = model.vocabulary.settings
    assert settings.punkt is not None
    assert "known_abbreviations" not in settings.punkt
    assert_cut_and_joined(browser, settings, sample_texts(), tmp_path)


def assert_cut_and_joined(browser: Any, settings: TextSettings, texts: list[str], path: Path) -> None:
    processor = TextProcessor(settings)
    with opened(browser, model_of(["a"], settings), path) as page:
        found = page.evaluate(
            """texts => texts.map((text) => {
              const sentences = text ? vocabulary.sentenceTexts(text).map(vocabulary.tokenizer.tokenize) : [];
              return sentences.filter((tokens) => tokens.length)
                .map((tokens) => [tokens, vocabulary.tokenizer.detokenize(tokens)]);
            })""",
            texts,
        )
    for text, sentences in zip(texts, found, strict=True):
        expected = [[tokens, processor.detokenize(tokens)] for tokens in processor.sentences(text)]
        assert sentences == expected, text


def test_tokens_in_any_order_are_joined_as_the_program_does(browser: Any, tmp_path: Path) -> None:
    model = kinds.load(MODEL)
    assert isinstance(model, LanguageModel)
    processor = model.vocabulary.processor
    marks = [
        *".,:;?!\"'`()[]{}<>-–—*@#$%&/^_~«»“”‘’„…",
        "``",
        "''",
        "--",
        "...",
        "n't",
        "'s",
        "'t",
        "can",
        "not",
        "is",
        "3",
        "a",
        "je",
    ]
    rng = random.Random(0)
    rows = [rng.choices(marks, k=rng.randint(1, 12)) for _ in range(3000)]
    rows += [rng.choices(model.vocabulary.tokens[3:200], k=15) for _ in range(1000)]
    with opened(browser, model, tmp_path) as page:
        assert page.evaluate("rows => rows.map(proseOf)", rows) == [processor.detokenize(row) for row in rows]


def test_what_is_added_to_a_seed_is_as_in_the_program(browser: Any, tmp_path: Path) -> None:
    rng = random.Random(0)
    for settings in (TextSettings(tokenizer="nltk"), TextSettings(tokenizer="nltk", keep_lines=True)):
        words = [
            "the",
            "cat",
            "``",
            "''",
            "'",
            "(",
            ")",
            ".",
            ",",
            "n't",
            "does",
            "''",
            "“",
            "”",
            "-",
            *["\n"] * settings.keep_lines,
        ]
        model = model_of(list(dict.fromkeys(words)), settings)
        seeds = [
            "",
            " ",
            "The cat",
            'The cat "',
            "The cat ",
            "the cat (",
            "He said: '",
            "The cat.\n",
            "\n\nThe",
            "“The”  cat ",
        ]
        pairs = [(rng.choice(seeds), rng.choices(words, k=rng.randint(1, 6))) for _ in range(500)]
        with opened(browser, model, tmp_path) as page:
            found = page.evaluate(
                """pairs => pairs.map(([text, tokens]) =>
                  vocabulary.added(vocabulary.seed(text, "", false), tokens))""",
                pairs,
            )
        expected = [model.writer.seed_text(text).continued(tokens).added for text, tokens in pairs]
        assert found == expected


def test_hostile_text_is_shown_as_text(browser: Any, tmp_path: Path) -> None:
    for name in ("characters", "whitespace"):
        tokens = list(dict.fromkeys("".join(HOSTILE))) if name == "characters" else HOSTILE
        model = model_of(tokens, TextSettings(tokenizer=name, lowercase=False), labels=HOSTILE[:2])
        with opened(browser, model, tmp_path) as page:
            assert page.title() == "A <model>"
            assert page.eval_on_selector_all("#label option", "all => all.map(each => each.value)") == HOSTILE[:2]
            seed = "<b>x</b> " + " ".join(HOSTILE)
            text = written(page, seed, length=60)
            assert text.startswith(page.input_value("#seed"))
            assert page.evaluate("document.querySelectorAll('#text *, main b, main img, main script').length") == 2
            settle(page)
            assert "<b>x</b>" in page.text_content("#unknown") or name == "characters"


def test_labels_and_unknown_words(browser: Any, tmp_path: Path) -> None:
    model = model_of(["the", "cat", "."], TextSettings(tokenizer="nltk"), labels=["good", "bad"])
    with_large_weights(model.network)
    with opened(browser, model, tmp_path) as page:
        shown = set()
        for label in ("good", "bad"):
            page.select_option("#label", label)
            text = written(page, "The dog, the", temperature=0, length=9)
            assert text == model.generate("The dog, the", label=label, greedy=True, max_tokens=9)
            settle(page)
            assert page.text_content("#unknown") == "Not in its vocabulary, so read as unknown: dog ,"
            page.fill("#temperature", "1")
            settle(page)
            shown.add(page.text_content("#next"))
        assert len(shown) == 2


def test_it_is_used_by_keyboard(browser: Any, char_model: LanguageModel, tmp_path: Path) -> None:
    with opened(browser, char_model, tmp_path) as page:
        page.focus("#seed")
        page.keyboard.type("The cat")
        page.wait_for_selector("#next li:nth-child(3)")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#stop:disabled")
        assert page.text_content("#text").startswith("The cat")
        assert page.get_attribute("#text", "aria-busy") is None
        page.focus("#write")
        page.keyboard.press("Enter")
        page.wait_for_selector("#stop:disabled")
        assert page.evaluate("document.activeElement.id") == "write"
        page.focus("#keep")
        page.keyboard.press("Enter")
        assert page.input_value("#seed") == page.text_content("#text")
        settle(page)
        page.focus("#next button:enabled")
        page.keyboard.press("Enter")
        assert len(page.input_value("#seed")) == len(page.text_content("#text")) + 1
        settle(page)
        assert page.evaluate("ui.next.contains(document.activeElement)")


def test_it_streams_and_stops(browser: Any, char_model: LanguageModel, tmp_path: Path) -> None:
    with opened(browser, char_model, tmp_path) as page:
        page.evaluate("vocabulary.neverWritten.push(Vocabulary.endId)")
        page.fill("#length", "1000000")
        page.click("#write")
        page.wait_for_function("ui.added.textContent.length > 100")
        assert page.text_content("#status") == "Writing …"
        assert page.get_attribute("#text", "aria-busy") == "true"
        assert page.is_disabled("#write")
        page.keyboard.press("Escape")
        page.wait_for_selector("#stop:disabled")
        assert page.text_content("#status").endswith("characters, stopped.")
        assert len(page.text_content("#added")) < 1_000_000


def test_settings_out_of_range_are_not_taken(browser: Any, char_model: LanguageModel, tmp_path: Path) -> None:
    with opened(browser, char_model, tmp_path) as page:
        for name, value in (
            ("temperature", "-1"),
            ("top-k", "0"),
            ("top-p", "2"),
            ("length", ""),
            ("temperature", ""),
        ):
            kept = page.input_value(f"#{name}")
            page.fill(f"#{name}", value)
            page.click("#write")
            assert page.text_content("#text") == ""
            assert page.evaluate("document.activeElement.id") == name
            page.fill(f"#{name}", kept)


def test_the_page_fits_the_screen_and_takes_its_colours(
    browser: Any, char_model: LanguageModel, tmp_path: Path
) -> None:
    backgrounds = {}
    for scheme in ("light", "dark"):
        for width in (360, 1280):
            screen = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
            with opened(browser, char_model, tmp_path, **screen) as page:
                written(page, "The cat" * 30, length=300)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                unnamed = "input:not([type=hidden]), select, textarea"
                assert page.eval_on_selector_all(unnamed, "all => all.every(each => each.labels.length === 1)")
                backgrounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert backgrounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 23, 23)"}


def test_the_network_and_scripts_of_others_are_forbidden(
    browser: Any, char_model: LanguageModel, tmp_path: Path
) -> None:
    file = tmp_path / "model.html"
    file.write_text(render(char_model, "model", "float32"), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert page.evaluate("url => fetch(url).then(() => 'sent', () => 'refused')", address) == "refused"
        page.evaluate("url => document.body.append(Object.assign(new Image(), {src: url}))", address)
        page.evaluate(
            "url => document.head.append(Object.assign(document.createElement('script'), {src: url}))", address
        )
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b onclick=\"done = 1\">x</b>')")
        page.click("b")
        assert page.evaluate("typeof done") == "undefined"
        with pytest.raises(TimeoutError):
            server.accept()
    page.close()
