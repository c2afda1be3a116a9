import json
from pathlib import Path

import pytest

import rnnlm as package

from .conftest import Command


def test_a_line_a_label(rnnlm: Command, label_run: Path):
    Path("texts.txt").write_text("an old cat\n\nthe oak is old\n")
    outcome = rnnlm("predict", "texts.txt", "--model", label_run)
    assert outcome.exit_code == 0
    lines = [line.split("\t") for line in outcome.stdout.splitlines()]
    assert [line[0] for line in lines] == ["animal", "", "plant"]
    [answer] = package.load(label_run).predict(["an old cat"])
    assert float(lines[0][1]) == pytest.approx(answer.probability, abs=1e-4)


def test_json_lines_have_all_labels(rnnlm: Command, label_run: Path):
    outcome = rnnlm("predict", "-", "--model", label_run, "--jsonl", "--quiet", stdin="an old cat\n\n")
    first, second = map(json.loads, outcome.stdout.splitlines())
    assert outcome.stderr == ""
    assert first["label"] == "animal"
    assert set(first["probabilities"]) == {"animal", "plant", "stone"}
    assert max(first["probabilities"].values()) == first["probability"]
    assert second == {"label": None, "probability": None, "probabilities": {}}


def test_records_are_texts(rnnlm: Command, label_run: Path):
    Path("texts.csv").write_text('body,score\n"an old cat",1\n"slate,\nold",2\n')
    outcome = rnnlm("predict", "texts.csv", "--model", label_run)
    assert [line.split("\t")[0] for line in outcome.stdout.splitlines()] == ["animal", "stone"]


def test_a_line_with_its_tags(rnnlm: Command, tag_run: Path):
    [answer] = package.load(tag_run).predict(["the dog sees Name7"])
    outcome = rnnlm("predict", "--model", tag_run, "--text", "the dog sees Name7")
    assert outcome.stdout == f"{answer}\n"
    assert outcome.stdout.split() == [
        f"{word}/{tag}" for word, tag in zip(["the", "dog", "sees", "Name7"], answer.tags, strict=True)
    ]
    as_json = rnnlm("predict", "--model", tag_run, "--text", "the dog sees Name7", "--jsonl").json
    assert as_json == {"tokens": answer.tokens, "tags": answer.tags, "text": answer.text}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ([], 2, "Give either a file or --text TEXT."),
        (["texts.txt", "--text", "a"], 2, "Give either a file or --text TEXT."),
        (["none.txt"], 1, "rnnlm: none.txt: the file cannot be opened"),
        (["texts.txt", "--format", "tagged"], 2, "'tagged' is not one of 'auto', 'csv'"),
        (["texts.txt", "--tag-column", "2"], 2, "No such option"),
        (["texts.txt", "--label-column", "kind"], 2, "No such option"),
        (["--text", "a", "--text-column", "b"], 2, "--text-column says how the text of INPUT is read"),
    ],
)
def test_what_cannot_be_answered(
    rnnlm: Command, label_run: Path, arguments: list[str], exit_code: int, message: str
):
    Path("texts.txt").write_text("an old cat\n")
    outcome = rnnlm("predict", *arguments, "--model", label_run)
    assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
    assert message in outcome.stderr


def test_a_language_model_answers_nothing(rnnlm: Command, word_run: Path):
    outcome = rnnlm("predict", "--model", word_run, "--text", "the cat")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("rnnlm: A language model has no answer to a text")


def test_only_language_models_write_and_score(rnnlm: Command, label_run: Path):
    Path("texts.txt").write_text("an old cat\n")
    for command in (["generate"], ["score", "texts.txt"], ["rescore", "texts.txt"]):
        outcome = rnnlm(*command, "--model", label_run)
        assert outcome.exit_code == 1
        assert f"{label_run}: its task is classify, so it is not a language model" in outcome.stderr
    assert rnnlm("evaluate", "--model", label_run, "--dynamic", 0.1).exit_code == 2


def test_evaluate_prints_what_was_taken_for_what(rnnlm: Command, label_run: Path, tag_run: Path):
    outcome = rnnlm("evaluate", "--model", label_run)
    assert outcome.stdout.startswith("accuracy       1.0000 of ")
    assert "true \\ answer" in outcome.stdout
    result = rnnlm("evaluate", "--model", label_run, "--json").json
    assert (result["accuracy"], result["macro_f1"]) == (1, 1)
    assert sum(map(sum, result["confusion"])) == result["examples"]
    tagged = rnnlm("evaluate", "--model", tag_run, "--json").json
    assert tagged["tokens"] > 100
    assert {"accuracy", "cross_entropy"} <= set(tagged)
    assert "tag" in rnnlm("evaluate", "--model", tag_run).stdout


def write_tagged(name: str, *sentences: str) -> str:
    words = ("\n".join(pair.replace("/", "\t") for pair in sentence.split()) for sentence in sentences)
    Path(name).write_text("\n\n".join(words) + "\n")
    return name


def test_what_is_measured_on_other_text(rnnlm: Command, tag_run: Path, label_run: Path):
    text = write_tagged("text.tsv", "the/DET dog/NOUN sees/VERB", "the/DET cat/WRONG runs/NEW")
    arguments = ["evaluate", "--model", tag_run, "--json"]
    of_text = rnnlm(*arguments, "--text", text, "--format", "tagged").json
    assert (of_text["tokens"], of_text["unknown_tags"]) == (6, 2)
    shown = rnnlm(*arguments[:-1], "--text", text, "--format", "tagged").stdout
    assert "\nThe model does not know the tag of 2 tokens.\n" in shown
    Path("text.csv").write_text("kind,text\nnew,an old cat\n")
    of_label = rnnlm("evaluate", "--model", label_run, "--text", "text.csv", "--label-column", "kind").stdout
    assert "\nThe model does not know the label of 1 text.\n" in of_label
    [first, _] = package.load(tag_run).predict(["the dog sees", "the cat runs"])
    assert of_text["accuracy"] >= [*map(str.__eq__, first.tags, ["DET", "NOUN", "VERB"])].count(True) / 6
    parts = ["--valid-fraction", 0, "--test-fraction", 1]
    made = rnnlm("preprocess", text, "--format", "tagged", "--vocab", tag_run, *parts, "--out", "data")
    assert made.exit_code == 0
    assert rnnlm(*arguments, "--data", "data").json == of_text
    made = rnnlm("preprocess", text, "--format", "tagged", "--out", "other", "--valid-fraction", 0)
    assert made.exit_code == 0
    refused = rnnlm(*arguments, "--data", "other")
    assert (refused.exit_code, "its vocabulary is not the model's" in refused.stderr) == (1, True)


def test_text_without_tags_or_labels_measures_nothing(rnnlm: Command, tag_run: Path, label_run: Path):
    Path("texts.txt").write_text("the dog sees\n")
    for run, problem in (
        (tag_run, "the model's tokens have tags; give a text that has, with --format tagged"),
        (label_run, "label"),
    ):
        outcome = rnnlm("evaluate", "--model", run, "--text", "texts.txt")
        assert (outcome.exit_code, outcome.stdout) == (1, "")
        assert problem in outcome.stderr
        assert "Traceback" not in outcome.stderr
