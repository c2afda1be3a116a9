import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rnnlm.report.page import MAX_SAMPLES, render
from rnnlm.report.runlog import RunLog, read_runs

from .conftest import MakeRun, line

VOID = {"meta", "link", "img", "br", "hr", "input"}
HOSTILE = "</p><script>alert('a')</script><img src=x onerror=\"b\"> & \ud800 {title} $x"


class Page(HTMLParser):
    """A page taken apart; it must close what it opens."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    # A path or a circle that closes itself has no end tag.
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def inside(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    def row(self, name: str) -> list[str]:
        """Return the cells of the first row of that name."""
        start = self.texts.index(("th", name)) + 1
        cells = []
        for tag, text in self.texts[start:]:
            if tag != "td":
                break
            cells.append(text)
        return cells


def test_every_part_is_there(short_run: RunLog):
    page = Page(render([short_run]))
    assert page.inside("h1") == page.inside("title")[:1] == ["Training of short"]
    assert page.inside("h2") == [
        "Summary",
        "Curves",
        "Samples",
        "Evaluations",
        "Text",
        "Configuration",
        "Machine",
    ]
    assert page.inside("figcaption") == ["Loss", "Perplexity", "Learning rate", "Gradient norm", "Speed"]
    charts = [svg for svg in page.named("svg") if svg["class"] == "chart"]
    assert [svg["aria-label"].partition(" (")[0] for svg in charts] == page.inside("figcaption")
    assert "short, validation (○ best evaluation: 12.2 at 20)" in page.inside("li")
    assert page.row("Best validation perplexity") == ["12.20"]
    assert page.row("Best step") == ["20"]
    assert page.row("Last validation perplexity") == ["20.10"]
    assert page.row("Seconds of training") == ["10"]
    assert page.row("Unknown in the validation split") == [f"{short_run.unknown_rates['valid']:.2%}"]
    assert page.row("Vocabulary, special tokens included") == [str(len(short_run.vocabulary))]
    assert page.row("model.hidden_size") == ["12"]
    assert page.row("schedule.name") == ["constant"]
    assert page.row("numpy") == [short_run.environment["numpy"]]
    assert page.row("40") == ["0.40", "3", "20.10"]
    assert page.inside("p")[-2:] == ["hello", "a\nb"]
    assert "Step 20, epoch 0.20, perplexity 12.20" in page.inside("li")


def test_the_page_needs_nothing_and_runs_nothing(short_run: RunLog):
    text = render([short_run])
    page = Page(text)
    assert {name for name, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed"} == set()
    for _, attributes in page.tags:
        assert not {"src", "href", "data", "action", "xlink:href"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"https?:|url\(|@import", text)
    [policy] = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_phones_and_dark_rooms_are_thought_of(short_run: RunLog):
    text = render([short_run])
    page = Page(text)
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")
    assert page.named("meta")[0] == {"charset": "utf-8"}
    assert page.named("html") == [{"lang": "en"}]
    style = text[text.index("<style>") : text.index("</style>")]
    assert "@media (prefers-color-scheme: dark)" in style
    # Whatever has another colour in the dark has one in the light, too.
    light, dark = (set(re.findall(r"(--\w+):", part)) for part in style.split("}")[:2])
    assert light == dark
    assert set(re.findall(r"var\((--\w+)\)", style)) == light


def test_text_of_a_run_cannot_become_markup(make_run: MakeRun):
    path = make_run("a<b>&'\"c", [line(10)], [{"step": 10, "text": HOSTILE}])
    (path / "environment.json").write_text('{"<i>": "<u>"}')
    [run] = read_runs([path])
    text = render([run])
    text.encode()
    page = Page(text)
    assert not {"script", "img", "b", "i", "u"} & {name for name, _ in page.tags}
    assert page.inside("p")[-1] == HOSTILE.replace("\ud800", "?")
    assert page.inside("h3")[0] == path.name
    assert page.inside("title")[0] == f"Training of {path.name}"
    assert page.row("<i>") == ["<u>"]
    assert page.row("Directory") == [str(path)]
    assert page.named("svg")[1]["aria-label"].startswith(f"Loss (nats per token) by step. {path.name}, training")


def test_runs_stand_beside_one_another(short_run: RunLog, char_run: Path):
    other = read_runs([char_run])[0]
    page = Page(render([short_run, other]))
    assert page.inside("h3") == ["short", other.label] * 2
    assert page.row("Directory") == [str(short_run.path), str(char_run)]
    assert page.row("Level") == ["word", "char"]
    # Of the configuration, what differs comes before the rest.
    keys = [text for tag, text in page.texts if tag == "th" and text.startswith(("model.", "training."))]
    assert keys.index("model.num_layers") < keys.index("model.cell")
    assert keys.count("model.num_layers") == 2
    assert keys.count("model.cell") == 1
    # The other run is too short for a line on training.
    assert [text.split(" (")[0] for text in page.inside("li") if " at " in text] == [
        "short, validation",
        "run, validation",
    ] * 2


def test_a_classifier_is_shown_by_its_accuracy(classifier_run: RunLog):
    text = render([classifier_run])
    page = Page(text)
    charts = ["Loss", "Accuracy", "Macro F1", "Learning rate", "Gradient norm", "Speed"]
    assert page.inside("figcaption") == charts
    assert page.inside("small")[:2] == ["nats per label", "at most 1"]
    assert page.row("Task") == ["classify"]
    assert page.row("Network") == ["gru, 1 × 8 in each direction"]
    assert page.row("Best validation accuracy") == ["0.8125"]
    assert page.row("Validation macro F1 at the best step") == ["0.7500"]
    assert page.row("Validation loss at the best step, nats") == ["0.8000"]
    assert page.row("Best step") == ["20"]
    assert page.row("Last validation accuracy") == ["0.7500"]
    vocabulary = classifier_run.vocabulary
    assert page.row("Vocabulary, special tokens included") == [str(vocabulary.first_label_id)]
    assert page.row("Labels") == ["3"]
    assert "labels, validation (○ best evaluation: 0.8125 at 20)" in page.inside("li")
    assert "Examples" in page.inside("h2")
    assert "Step 20, epoch 0.20, accuracy 0.8125" in page.inside("li")
    assert page.inside("p")[-1] == "an old oak -> plant (0.90)"
    assert page.row("30") == ["0.30", "0.7000", "0.7500", "0.8750"]
    assert "erplexity" not in text


def test_runs_of_different_tasks_stand_beside_one_another(
    short_run: RunLog, classifier_run: RunLog, tagger_run: RunLog
):
    page = Page(render([short_run, classifier_run, tagger_run]))
    assert page.inside("figcaption")[:7] == [
        *["Loss"] * 3,
        *("Perplexity", "Accuracy", "Macro F1", "F1"),
    ]
    assert page.inside("small")[:3] == ["nats per token", "nats per label", "nats per tag"]
    assert page.row("Task") == ["language model", "classify", "tag"]
    assert page.row("Best validation perplexity") == ["12.20", "–", "–"]
    assert page.row("Best validation accuracy") == ["–", "0.8125", "0.9000"]
    assert page.row("Best validation F1") == ["–", "–", "0.7500"]
    assert page.row("Validation macro F1 at the best step") == ["–", "0.7500", "–"]
    assert page.row("Last validation F1") == ["–", "–", "0.7500"]
    assert page.row("Labels") == ["–", "3", "–"]
    assert "Samples and examples" in page.inside("h2")
    # Losses of different tasks share no axis.
    charts = [svg["aria-label"] for svg in page.named("svg") if svg["class"] == "chart"]
    assert [label.count(", validation") for label in charts[:3]] == [1, 1, 1]


def test_a_translator_is_judged_by_its_perplexity(short_run: RunLog, translated_run: RunLog):
    text = render([short_run, translated_run])
    page = Page(text)
    assert page.inside("figcaption")[:3] == ["Loss", "Loss", "Perplexity"]
    assert page.inside("small")[:2] == ["nats per token"] * 2
    assert page.row("Best validation perplexity") == ["12.20", "4.50"]
    assert page.row("Vocabulary of the sources") == ["–", "8"]
    assert "Step 10, epoch 0.10, perplexity 4.50" in page.inside("li")
    assert "eins -&gt; one" in text


def test_a_classifier_that_was_never_evaluated_has_no_measures(make_run: MakeRun, label_run: Path):
    lines = [line(10, loss=1.0)]
    page = Page(render(read_runs([make_run("new", lines, [{"step": 10, "text": "oak -> plant"}], label_run)])))
    assert page.inside("figcaption") == ["Loss", "Learning rate", "Gradient norm", "Speed"]
    assert page.row("Best step") == ["–"]
    assert page.inside("p")[-1] == "oak -> plant"


def test_runs_that_do_not_differ_say_so(make_run: MakeRun):
    runs = read_runs([make_run("a", [line(1)]), make_run("b", [line(1)])])
    assert "No key differs." in Page(render(runs)).inside("p")


def test_a_run_with_one_evaluation_and_nothing_else(make_run: MakeRun):
    path = make_run("one", [line(7, "valid")])
    (path / "environment.json").unlink()
    page = Page(render(read_runs([path])))
    assert page.inside("figcaption") == ["Loss", "Perplexity"]
    assert "Not logged: learning rate, gradient norm, speed." in page.inside("p")
    assert "There are none." in page.inside("p")
    assert [circle["class"] for circle in page.named("circle")] == ["mark c0", "best c0"] * 2


def test_a_run_of_which_hardly_anything_is_known(make_run: MakeRun):
    path = make_run("nan", [{"step": 1, "split": "train", "loss": float("nan")}])
    (path / "config.yaml").write_text("")
    page = Page(render(read_runs([path])))
    assert [svg for svg in page.named("svg") if svg["class"] == "chart"] == []
    assert page.row("Best step") == page.row("Epochs") == page.row("Tokens per second") == ["–"]
    assert page.row("Dataset") == ["–"]
    assert page.row("Unknown in the test split") == ["dataset not available"]


@pytest.mark.parametrize("count", [MAX_SAMPLES, MAX_SAMPLES + 1, 1000])
def test_of_many_samples_some_are_shown(make_run: MakeRun, count: int):
    samples = [{"step": k, "text": f"text {k}"} for k in range(count)]
    lines = [line(k, "valid") for k in range(count)]
    page = Page(render(read_runs([make_run("many", lines, samples)])))
    shown = [text for text in page.inside("p") if text.startswith("text")]
    assert len(set(shown)) == MAX_SAMPLES
    assert (shown[0], shown[-1]) == ("text 0", f"text {count - 1}")
    assert (f"{MAX_SAMPLES} of {count:,}." in page.inside("p")) == (count > MAX_SAMPLES)
    assert page.inside("summary")[0] == f"{MAX_SAMPLES} of {count:,}"
    assert page.row(str(count - 1))


def test_the_page_of_a_long_run_stays_small(make_run: MakeRun):
    lines = [line(k, loss=3 + k % 7 / 10, grad_norm=1 + k % 11) for k in range(5_000)]
    assert len(render(read_runs([make_run("long", lines)]))) < 100_000
