from pathlib import Path

import pytest

from .conftest import Command

TEXT = "The dog sees the old cat. The cow likes the fox at night."


def test_a_text_is_shown_on_a_page(rnnlm: Command, word_run: Path) -> None:
    outcome = rnnlm("inspect", TEXT, "--model", word_run, "-o", "page.html")
    assert outcome == (0, "", f"Text: {TEXT!r}, as there is no such file\nPage: page.html\n")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<title>A text as the model reads it</title>" in page
    assert rnnlm("inspect", TEXT, "--model", word_run, "-o", "again.html", "--quiet") == (0, "", "")
    assert Path("again.html").read_text(encoding="utf-8") == page


def test_a_file_is_shown_on_a_page(rnnlm: Command, char_run: Path) -> None:
    Path("owls.txt").write_text("The owl\nsees.")
    outcome = rnnlm("inspect", "owls.txt", "--model", char_run, "-o", "page.html", "--json", "--quiet")
    assert outcome.exit_code == 0
    assert outcome.stderr == ""
    assert outcome.json["page"] == "page.html"
    # The file is one document, as that which the model was trained on was.
    assert "".join(token["token"] for token in outcome.json["tokens"]) == "The owl\nsees.SENTENCE_END"
    assert "<title>owls.txt as the model reads it</title>" in Path("page.html").read_text(encoding="utf-8")


def test_lines_of_words_are_documents(rnnlm: Command, word_run: Path) -> None:
    Path("owls.txt").write_text("The owl sees.\n\nThe cat\n")
    outcome = rnnlm("inspect", "owls.txt", "--model", word_run, "-o", "page.html", "--json", "--quiet")
    words = [token["token"] for token in outcome.json["tokens"]]
    assert words == ["the", "owl", "sees", ".", "SENTENCE_END", "the", "cat", "SENTENCE_END"]


@pytest.mark.parametrize("run", ["label_run", "tag_run", "translator_run"])
def test_all_kinds_of_models_of_text_are_shown(rnnlm: Command, request: pytest.FixtureRequest, run: str) -> None:
    text = "eins zwei" if run == "translator_run" else "there is an old oak"
    path = request.getfixturevalue(run)
    outcome = rnnlm("inspect", text, "--model", path, "-o", "page.html", "--json", "--quiet")
    assert outcome.exit_code == 0
    assert len(outcome.json["tokens"]) > 4
    assert Path("page.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give a text, or a file with one."),
        (["a text"], "Missing option '-o'"),
        (["a text", "-o", "page.html", "--encoding", "latin-1"], "--encoding says how the text of FILE is read"),
    ],
)
def test_wrong_usage(rnnlm: Command, word_run: Path, arguments: list[str], message: str) -> None:
    outcome = rnnlm("inspect", *arguments, *(["-o", "page.html"] if not arguments else []), "--model", word_run)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert message in outcome.stderr


def test_what_cannot_be_shown_is_a_failure_in_one_line(
    rnnlm: Command, word_run: Path, series_run: Path, tag_run: Path
) -> None:
    Path("empty.txt").write_text("\n")
    failures = {
        ("empty.txt", "--model", word_run, "-o", "page.html"): "The text has no tokens",
        (TEXT, "--model", series_run, "-o", "page.html"): "A forecaster reads no text",
        (TEXT, "--model", word_run, "-o", "nowhere/page.html"): "nowhere/page.html: the page cannot be written",
        (TEXT, "--model", word_run, "-o", "page.html", "--label", "x"): "--label 'x': the model has no labels",
        (TEXT, "--model", tag_run, "-o", "page.html", "--label", "x"): "--label 'x': the model has no labels",
        ("empty.txt", "--model", word_run, "-o", "a.html", "--label-column", "x"): "the model has no labels",
    }
    for arguments, message in failures.items():
        outcome = rnnlm("inspect", *arguments, "--quiet")
        assert (outcome.exit_code, outcome.stdout) == (1, "")
        assert message in outcome.stderr
        assert len(outcome.stderr.splitlines()) == 1
