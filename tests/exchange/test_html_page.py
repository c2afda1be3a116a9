import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.exchange.export import export
from rnnlm.exchange.html_page import render
from rnnlm.exchange.precision import Precision
from rnnlm.models import kinds
from rnnlm.models.language_model import LanguageModel
from rnnlm.resources import MODEL
from rnnlm.text.processor import TextSettings
from rnnlm.text.vocabulary import Vocabulary
from tests.networks import make_network


def model_of(tokens: list[str], settings: TextSettings, labels: list[str] | None = None) -> LanguageModel:
    """Make an untrained model of some tokens."""
    starts = [f"SENTENCE_START:{label}" for label in labels or ()]
    names = ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", *tokens, *starts]
    vocabulary = Vocabulary(names, [1] * len(names), settings, labels or ())
    config = Config.model_validate({"model": {"hidden_size": 4}})
    return LanguageModel(make_network(len(vocabulary), hidden_size=4), vocabulary, config)


@pytest.mark.parametrize("precision", get_args(Precision))
def test_the_page_of_the_installed_model_is_below_2_mb(tmp_path: Path, precision: Precision) -> None:
    assert export(kinds.load(MODEL), "html", tmp_path / "model.html", precision=precision) == {}
    assert [file.name for file in tmp_path.iterdir()] == ["model.html"]
    size = (tmp_path / "model.html").stat().st_size
    assert size < {"float32": 2_000_000, "float16": 1_100_000, "int8": 700_000}[precision]


def test_the_page_allows_its_own_scripts_only(char_model: LanguageModel) -> None:
    page = render(char_model, "model", "float32")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    scripts, [style] = (
        re.findall(r"<script>(.*?)</script>", page, re.S),
        re.findall(r"<style>(.*?)</style>", page, re.S),
    )

    def allowed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert policy.split("; ") == [
        "default-src 'none'",
        "script-src " + " ".join(map(allowed, scripts)),
        f"style-src {allowed(style)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not re.search(r"https?:|src=|href=|@import|url\(", page.replace(policy, ""))


@pytest.mark.parametrize(
    ("settings", "scripts"),
    [
        (TextSettings(tokenizer="characters"), 3),
        (TextSettings(tokenizer="nltk"), 4),
        (TextSettings(tokenizer="whitespace", clean=True), 4),
    ],
)
def test_a_page_has_the_scripts_that_it_needs(settings: TextSettings, scripts: int) -> None:
    assert render(model_of(["a"], settings), "model", "float32").count("<script>") == scripts


def test_what_a_model_says_is_data() -> None:
    hostile = ["</script><script>alert(1)</script>", "<!--", "<script", '"', "\\", "\0", "\u2028", "😀", "שלום"]
    model = model_of(hostile, TextSettings(tokenizer="whitespace"), labels=["</script><b>"])
    page = render(model, "<script>alert(2)</script>", "int8")
    assert "alert(1)</script>" not in page
    assert "<script>alert(2)" not in page
    assert "<title>&lt;script&gt;alert(2)&lt;/script&gt;</title>" in page
    [data] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert "<" not in data
    assert json.loads(data)["vocabulary"]["tokens"] == model.vocabulary.tokens
    assert json.loads(data)["vocabulary"]["labels"] == ["</script><b>"]


def test_no_script_ends_early() -> None:
    folder = Path(render.__code__.co_filename).parent / "page"
    for file in folder.glob("*.js"):
        assert not re.search("<!--|</?script", file.read_text(encoding="utf-8"), re.IGNORECASE), file


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("label_run", "A classifier has no page yet: only language models write; choose another format."),
        ("tag_run", "A tagger has no page yet"),
        ("translator_run", "A translator has no page yet"),
        ("series_run", "A forecaster has no page yet"),
    ],
)
def test_models_that_do_not_write_have_no_page(run: str, message: str, request: pytest.FixtureRequest) -> None:
    model: Any = kinds.load(request.getfixturevalue(run))
    with pytest.raises(RnnlmError, match=message):
        render(model, "model", "float32")


@pytest.mark.parametrize("tokenizer", ["tweet", "unicode", "jieba"])
def test_tokenizers_that_a_page_does_not_have_are_refused(tokenizer: str) -> None:
    model = model_of(["a"], TextSettings(tokenizer=tokenizer))
    with pytest.raises(RnnlmError, match=f"A page cannot cut text as `tokenizer={tokenizer}` does; it can as"):
        render(model, "model", "float32")


def test_a_model_that_is_too_large_is_refused(char_model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnlm.exchange.html_page.LARGEST_PAGE", 1_000)
    with pytest.raises(
        RnnlmError, match="A page holds at most 0 MB of weights, but these are 0 MB; choose a lower"
    ):
        render(char_model, "model", "float32")
