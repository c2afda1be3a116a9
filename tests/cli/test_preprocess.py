import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rnnlm.dataset.store import Dataset

from .conftest import Command

COMMENTS = "body\n" + '"I like *this*. Don\'t you?"\n"This is fine &amp; well."\n[deleted]\n' * 20
WORDS = "Some words\n" * 9


def test_csv_of_comments(rnnlm: Command):
    Path("comments.csv").write_text(COMMENTS)
    result = rnnlm("preprocess", "comments.csv")
    assert result.stdout == "data/comments: 40 documents, 60 sentences, 340 tokens\n"
    for line in (
        "Reading comments.csv, writing data/comments.",
        "Text settings: --level word --tokenizer nltk --lowercase --sentences --clean",
        "Left out 20 documents without a token.",
        "Found 12 unique tokens in the training text.",
        "The vocabulary has 15 tokens, the special ones included.",
        "Unknown tokens: train 0.00%, valid 0.00%, test 0.00%.",
    ):
        assert line in result.stderr.splitlines()
    assert "The least frequent word in it is 'well', which appeared 17 times." in result.stderr
    assert Dataset.open("data/comments").vocabulary.settings.clean


def test_json_is_one_object(rnnlm: Command):
    Path("comments.csv").write_text(COMMENTS)
    result = rnnlm("preprocess", "comments.csv", "--json", "--quiet", "--out", "x/y")
    assert result.stderr == ""
    numbers = json.loads(result.stdout)
    assert {"documents", "sentences", "tokens", "vocabulary_size", "unique_tokens", "unknown_rate"} <= set(numbers)
    assert set(numbers["splits"]) == {"train", "valid", "test"}
    assert sum(part["tokens"] for part in numbers["splits"].values()) == numbers["tokens"]
    assert Path("x/y/train.bin").exists()


@pytest.mark.parametrize(
    ("name", "content", "options", "expected"),
    [
        ("a.txt", WORDS, [], "word --tokenizer nltk --lowercase --no-sentences --no-clean --documents line"),
        ("a.txt", WORDS, ["--level", "char"], "char --no-lowercase --no-sentences --no-clean --documents file"),
        ("a.csv", COMMENTS, ["--level", "char"], "char --no-lowercase --no-sentences --clean"),
        ("a.csv", COMMENTS, ["--no-clean", "--no-sentences", "--no-lowercase", "--tokenizer", "tweet"],
         "word --tokenizer tweet --no-lowercase --no-sentences --no-clean"),
        ("a.csv", COMMENTS, ["--format", "txt", "--documents", "paragraph"],
         "word --tokenizer nltk --lowercase --no-sentences --no-clean --documents paragraph"),
    ],
)  # fmt: skip
def test_defaults_depend_on_level_and_format(rnnlm: Command, name, content, options, expected):
    Path(name).write_text(content)
    assert f"Text settings: --level {expected}" in rnnlm("preprocess", name, *options).stderr.splitlines()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.b.txt", "a.b"), ("dump.jsonl.gz", "dump"), ("README", "README"), ("folder", "folder")],
)
def test_the_dataset_is_named_after_the_input(rnnlm: Command, name, expected):
    import gzip

    text = b'{"body": "some words"}\n' * 5
    if name == "folder":
        Path(name).mkdir()
        name += "/"
        Path(name, "x.txt").write_bytes(text)
    else:
        Path(name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert rnnlm("preprocess", name).stdout.startswith(f"data/{expected}: 5 documents")


def test_standard_input(rnnlm: Command):
    result = rnnlm("preprocess", "-", "--format", "jsonl", stdin='{"text": "A word."}\n' * 5)
    assert result.stdout.startswith("data/stdin: 5 documents")


def test_the_sample_corpus_is_the_default_input(rnnlm: Command, tmp_path, monkeypatch):
    corpus = tmp_path / "sample-comments.csv"
    corpus.write_text(COMMENTS)
    monkeypatch.setattr("rnnlm.cli.preprocess.SAMPLE_CORPUS", corpus)
    assert rnnlm("preprocess").stdout.startswith("data/sample-comments: 40 documents")


def test_penn_treebank_options(rnnlm: Command):
    Path("train.txt").write_text(" the <unk> N \n the cat \n")
    Path("other.txt").write_text(" the dog \n")
    options = "--tokenizer whitespace --no-lowercase --unknown-token <unk> --start-token <s> --end-token </s>"
    rnnlm(
        "preprocess",
        "train.txt",
        *options.split(),
        "--valid",
        "other.txt",
        "--test",
        "other.txt",
        "--vocab-size",
        "6",
        "--min-count",
        "1",
    )
    dataset = Dataset.open("data/train")
    assert dataset.vocabulary.tokens == ["<unk>", "<s>", "</s>", "the", "N", "cat"]
    assert dataset.test.num_tokens == 3
    assert dataset.test.unknown_tokens == 1


def test_a_vocabulary_is_reused(rnnlm: Command):
    Path("comments.csv").write_text(COMMENTS)
    rnnlm("preprocess", "comments.csv", "--level", "char")
    Path("more.csv").write_text("body\nZebra\nI\nI\n")
    result = rnnlm("preprocess", "more.csv", "--vocab", "data/comments", "--level", "char", "--no-lowercase")
    assert "--level char --no-lowercase --no-sentences --clean" in result.stderr
    assert Dataset.open("data/more").vocabulary == Dataset.open("data/comments").vocabulary


@pytest.mark.parametrize(
    "options",
    [
        ["--level", "char"],
        ["--tokenizer", "tweet"],
        ["--no-clean"],
        ["--vocab-size", "9"],
        ["--min-count", "2"],
        ["--end-token", "x"],
    ],
)
def test_a_vocabulary_cannot_be_contradicted(rnnlm: Command, options):
    Path("comments.csv").write_text(COMMENTS)
    rnnlm("preprocess", "comments.csv")
    result = rnnlm("preprocess", "comments.csv", "--out", "x", "--vocab", "data/comments", *options)
    assert result.exit_code == 2
    assert f"{options[0].replace('no-', '')} is fixed by the vocabulary of data/comments" in result.stderr


def test_characters_have_no_tokenizer(rnnlm: Command):
    Path("a.txt").write_text("text")
    result = rnnlm("preprocess", "a.txt", "--level", "char", "--tokenizer", "nltk")
    assert result.exit_code == 2
    assert "--tokenizer is for words" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--valid", "a.txt", "--valid-fraction", "0.1"], "--valid is all of the valid part; leave"),
        (["--test", "a.txt", "--test-fraction", "0.1"], "--test is all of the test part; leave --test-fraction"),
        (["--text-column", "body"], "--text-column is for csv and jsonl, but txt is read"),
        (["--format", "jsonl", "--documents", "line"], "--documents is for txt, but jsonl is read; leave it out"),
    ],
)
def test_options_without_effect_are_refused(rnnlm: Command, options, message):
    Path("a.txt").write_text(WORDS)
    result = rnnlm("preprocess", "a.txt", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("data").exists()


def test_options_that_matter_to_one_of_the_files_are_taken(rnnlm: Command):
    Path("a.txt").write_text(WORDS)
    Path("b.csv").write_text("title\nwords\n")
    options = ["--text-column", "title", "--documents", "paragraph", "--valid-fraction", "0"]
    assert rnnlm("preprocess", "a.txt", "--valid", "b.csv", *options).exit_code == 0


def test_the_vocabulary_of_a_run_is_that_of_its_best_checkpoint(
    rnnlm: Command, word_run: Path, word_dataset: Path
):
    Path("a.txt").write_text(WORDS)
    half = word_run / "checkpoints" / ".half-written"
    half.mkdir()
    (half / "vocabulary.json").touch()
    try:
        rnnlm("preprocess", "a.txt", "--vocab", str(word_run))
    finally:
        shutil.rmtree(half)
    assert Dataset.open("data/a").vocabulary == Dataset.open(word_dataset).vocabulary
    outcome = rnnlm("preprocess", "a.txt", "--vocab", "data", "--out", "other")
    assert outcome.exit_code == 1
    assert "neither a run nor a checkpoint" in outcome.stderr


def test_a_bare_vocabulary_is_checked(rnnlm: Command, word_dataset: Path):
    Path("a.txt").write_text(WORDS)
    data = json.loads((word_dataset / "vocabulary.json").read_text())
    Path("v.json").write_text(json.dumps(data))
    assert rnnlm("preprocess", "a.txt", "--vocab", "v.json").exit_code == 0
    Path("v.json").write_text(json.dumps({**data, "tokens": [*data["tokens"][:-1], "\ud800"]}))
    outcome = rnnlm("preprocess", "a.txt", "--vocab", "v.json", "--out", "other")
    assert outcome.exit_code == 1
    assert "v.json: 'tokens' must be a list of strings of valid Unicode" in outcome.stderr


def test_a_special_token_that_is_not_unicode_is_refused():
    Path("a.txt").write_text(WORDS)
    done = subprocess.run(
        [sys.executable, "-m", "rnnlm", "preprocess", "a.txt", "--unknown-token", b"\xff"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("rnnlm: The special token '\\udcff' is not valid Unicode")
    assert "Traceback" not in done.stderr


def test_a_missing_column_is_named_by_every_command_alike(rnnlm: Command, word_run: Path):
    Path("a.csv").write_text("one,two\n1,2\n")
    for arguments in (["preprocess", "a.csv"], ["evaluate", "--model", word_run, "--text", "a.csv"]):
        outcome = rnnlm(*arguments, "--quiet")
        assert outcome.exit_code == 1
        assert outcome.stderr.startswith("rnnlm: a.csv: there is no column 'body', 'text' or 'content', only 'one")


def test_documents_of_several_sentences_are_noticed(rnnlm: Command):
    Path("a.txt").write_text("It was late. We went home. The cat slept.\n" * 30 + "It was late and we went home\n")
    all_train = ["a.txt", "--valid-fraction", 0, "--test-fraction", 0]
    assert "2 words of the vocabulary have a period at their end" in rnnlm("preprocess", *all_train).stderr
    assert "period" not in rnnlm("preprocess", *all_train, "--sentences", "--overwrite").stderr


def test_records_together_with_plain_text_are_said_to_be_taken_as_they_are(rnnlm: Command):
    Path("a.txt").write_text("One line of text.\n" * 5)
    Path("b.jsonl").write_text('{"body": "One **comment**. Another."}\n' * 5)
    assert (
        "a.txt is plain text and other inputs are records: without your choice, all are read with"
        in rnnlm("preprocess", "b.jsonl", "a.txt").stderr
    )
    one_choice = rnnlm("preprocess", "b.jsonl", "a.txt", "--clean", "--overwrite").stderr
    assert "all are read with --no-sentences." in one_choice
    for inputs in (["b.jsonl", "a.txt", "--clean", "--sentences"], ["a.txt", "--no-clean"], ["b.jsonl"]):
        assert "without your choice" not in rnnlm("preprocess", *inputs, "--overwrite").stderr


def test_an_error_comes_with_what_was_read(rnnlm: Command):
    Path("a.jsonl").write_text('{"body": "One"}\n{"body": "Two."},\n{"body": "Three."},\n')
    outcome = rnnlm("preprocess", "a.jsonl")
    assert outcome.exit_code == 1
    assert "a.jsonl: 2 lines that are not JSON objects skipped, the first in line 2." in outcome.stderr
    assert "rnnlm: The corpus has 1 token, too few" in outcome.stderr


def test_standard_input_is_named(rnnlm: Command):
    outcome = rnnlm("preprocess", "-", stdin="")
    assert "Reading standard input, writing data/stdin." in outcome.stderr
    assert "rnnlm: standard input: there is no text in it" in outcome.stderr


def test_repairs_are_reported(rnnlm: Command):
    Path("a.txt").write_bytes("a good é\n".encode() * 10 + b"bad \xff byte\n" * 4)
    assert (
        "a.txt: 4 bytes that are not UTF-8 replaced by U+FFFD, the first in line 11."
        in rnnlm("preprocess", "a.txt").stderr
    )


def test_errors_name_the_file(rnnlm: Command):
    outcome = rnnlm("preprocess", "none")
    assert outcome.exit_code == 1
    assert "none: there is no such file" in outcome.stderr
    Path("a.txt").write_text("words\n" * 5)
    rnnlm("preprocess", "a.txt")
    outcome = rnnlm("preprocess", "a.txt")
    assert outcome.exit_code == 1
    assert "data/a: this dataset exists" in outcome.stderr
    assert rnnlm("preprocess", "a.txt", "--overwrite").exit_code == 0


def test_importing_the_command_is_light():
    code = "import sys, rnnlm.cli.preprocess; print('numpy' in sys.modules, 'nltk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_help_shows_defaults_and_examples(rnnlm: Command):
    result = rnnlm("preprocess", "--help")
    assert "zcat dump.gz | rnnlm preprocess - --format jsonl" in result.stdout
    for default in ("[default: word]", "[default: nltk]", "[default: 8000]", "[default: 0.05"):
        assert default in " ".join(result.stdout.split())


def test_a_vocabulary_is_extended(rnnlm: Command):
    Path("old.txt").write_text("the cat sat\n" * 30)
    Path("new.txt").write_text("the dog sat\n" * 30)
    assert rnnlm("preprocess", "old.txt", "--out", "old").exit_code == 0
    outcome = rnnlm("preprocess", "new.txt", "--out", "new", "--vocab", "old", "--extend-vocab", 1, "--json")
    assert outcome.json["vocabulary_size"] == 7
    assert outcome.json["unknown_rate"] == 0
    assert "The least frequent word added is 'dog'," in outcome.stderr
    reused = rnnlm("preprocess", "new.txt", "--out", "reused", "--vocab", "old", "--json")
    assert reused.json["least_frequent"] is None
    assert "least frequent" not in reused.stderr
    alone = rnnlm("preprocess", "new.txt", "--extend-vocab", 1)
    assert alone.exit_code == 2
    assert "--extend-vocab adds words to the vocabulary of --vocab; give that too." in alone.stderr


def test_rare_words_do_not_extend_a_vocabulary(rnnlm: Command):
    Path("old.txt").write_text("the cat sat\n" * 30)
    Path("new.txt").write_text("the dog sat\n" * 30 + "the owl sat\n")
    assert rnnlm("preprocess", "old.txt", "--out", "old").exit_code == 0
    extending = ["preprocess", "new.txt", "--vocab", "old", "--extend-vocab", 2, "--min-count", 2]
    assert rnnlm(*extending).exit_code == 0
    assert Dataset.open("data/new").vocabulary.tokens[3:] == ["cat", "sat", "the", "dog"]


def test_text_among_the_inputs_is_not_cleaned_whatever_its_place(rnnlm: Command):
    Path("a.csv").write_text("text\n" + "one & two\n" * 5)
    Path("b.txt").write_text("three\n" * 5)
    for number, inputs in enumerate((["a.csv", "b.txt"], ["b.txt", "a.csv"])):
        assert "--no-sentences --no-clean" in rnnlm("preprocess", *inputs, "--out", f"mixed{number}").stderr


def test_what_was_guessed_is_said_with_texts(rnnlm: Command):
    Path("a.csv").write_text('id;body\n1;"Yes, I agree, and more."\n2;Second one.\n' * 3)
    Path("valid").write_text('{"body": "A valid one."}\n{"body": "Another."}\n')
    outcome = rnnlm("preprocess", "a.csv", "--valid", "valid", "--out", "x")
    assert outcome.exit_code == 0
    lines = outcome.stderr.splitlines()
    said = "Reading rows separated by ';', text from 'body': \"Yes, I agree, and more.\" \"Second one.\" (a.csv)"
    assert said in lines
    assert 'Reading JSON lines, text from \'body\': "A valid one." "Another." (valid)' in lines
    assert rnnlm("preprocess", "a.csv", "--valid", "valid", "--out", "y", "--quiet").stderr == ""


def test_text_that_may_be_misread_is_shown(rnnlm: Command):
    Path("dump.log").write_text("{id: 1, body: 'x'}\n" * 9)
    assert "Reading plain text by the line: \"{id: 1, body: 'x'}\"" in rnnlm("preprocess", "dump.log").stderr


def test_how_text_with_tabs_was_read_names_the_option_and_leaves_the_text(rnnlm: Command):
    Path("data.log").write_text("say `top_k` twice\tyes\n" * 5)

    outcome = rnnlm("preprocess", "data.log", "--valid-fraction", "0", "--test-fraction", "0")

    assert 'by the line, tabs included (--format tsv takes one column): "say `top_k` twice yes"' in outcome.stderr


@pytest.mark.parametrize("name", ["RC_2026-01", "comments.json", "askreddit_comments"])
def test_records_under_any_name_are_comments(rnnlm: Command, name: str):
    Path(name).write_text('{"body": "I like *this* a lot", "subreddit": "a"}\n' * 20)
    outcome = rnnlm("preprocess", name)
    assert outcome.stdout.endswith(": 20 documents, 20 sentences, 120 tokens\n")
    assert "--sentences --clean" in outcome.stderr


def test_standard_input_is_recognized(rnnlm: Command):
    result = rnnlm("preprocess", "-", stdin='[{"text": "A word."}, {"text": "Another."}, {"text": "One more."}]')
    assert result.stdout.startswith("data/stdin: 3 documents")
    assert "--sentences --clean" in result.stderr


def test_records_are_chosen(rnnlm: Command):
    Path("a.jsonl").write_text('{"body": "yes", "n": 1}\n{"body": "no", "n": 2}\n' * 10)
    result = rnnlm("preprocess", "a.jsonl", "--where", "n=1")
    assert result.stdout.startswith("data/a: 10 documents")
    assert "a.jsonl: 10 records left out by --where, the first in line 2." in result.stderr


def test_new_settings_of_reading_are_written_where_they_are_chosen(rnnlm: Command):
    Path("a.csv").write_text("n;body\n" + "1;some words\n" * 20)
    rnnlm("preprocess", "a.csv", "--out", "plain")
    rnnlm("preprocess", "a.csv", "--out", "chosen", "--where", "n=1", "--delimiter", ";")
    plain, chosen = (
        yaml.safe_load(Path(name, "dataset.yaml").read_text())["reader"] for name in ("plain", "chosen")
    )
    assert plain == {"format": "auto", "documents": "line", "text_column": None}
    assert chosen == {**plain, "delimiter": ";", "where": ["n=1"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--where", "a=b"], "--where is for csv and jsonl, but txt is read"),
        (["--delimiter", ";"], "--delimiter is for csv, but txt is read"),
        (["--no-quoting"], "--quoting or --no-quoting is for csv, but txt is read"),
        (["--no-header"], "--no-header is for csv, but txt is read"),
    ],
)
def test_options_of_records_are_refused_for_text(rnnlm: Command, options: list[str], message: str):
    Path("a.txt").write_text(WORDS)
    result = rnnlm("preprocess", "a.txt", *options)
    assert result.exit_code == 2
    assert message in result.stderr


BOOK = "It was the best of\ntimes. It was the\nworst of times.\n"
ALL_TRAIN = ["--valid-fraction", "0", "--test-fraction", "0"]


@pytest.mark.parametrize("documents", ["paragraph", "file", "***"])
def test_sentences_of_a_book_go_on_over_line_ends(rnnlm: Command, documents: str):
    Path("a.txt").write_text(BOOK)
    result = rnnlm("preprocess", "a.txt", "--documents", documents, "--sentences", *ALL_TRAIN)
    assert result.stdout == "data/a: 1 document, 2 sentences, 16 tokens\n"


def test_an_empty_line_ends_a_sentence_of_a_file(rnnlm: Command):
    Path("a.txt").write_text("It was the best\nof times\n\nIt was the worst\n")
    result = rnnlm("preprocess", "a.txt", "--documents", "file", "--sentences", *ALL_TRAIN)
    assert result.stdout == "data/a: 1 document, 2 sentences, 12 tokens\n"


def test_characters_keep_their_line_ends(rnnlm: Command):
    Path("a.txt").write_text(BOOK)
    rnnlm("preprocess", "a.txt", "--level", "char", *ALL_TRAIN)
    dataset = Dataset.open("data/a")
    assert "".join(dataset.vocabulary.decode(list(dataset.train.ids))[1:-1]) == BOOK


def test_line_ends_of_records_end_sentences(rnnlm: Command):
    Path("a.jsonl").write_text('{"body": "no end\\nhere and\\nthere"}\n' * 4)
    assert rnnlm("preprocess", "a.jsonl", *ALL_TRAIN).stdout.startswith("data/a: 4 documents, 12 sentences")


def test_documents_between_separators(rnnlm: Command):
    Path("a.txt").write_text("One two.\n***\nThree\nfour.\n***\nFive.\n")
    assert rnnlm("preprocess", "a.txt", "--documents", "***", *ALL_TRAIN).stdout.startswith(
        "data/a: 3 documents, 3 sentences"
    )


def test_one_is_not_called_many(rnnlm: Command):
    Path("a.csv").write_text('body\nword\n[deleted]\n""\n')
    result = rnnlm("preprocess", "a.csv", *ALL_TRAIN)
    assert result.stdout == "data/a: 1 document, 1 sentence, 2 tokens\n"
    for message in (
        "Left out 1 document without a token.",
        "Found 1 unique token in the training text.",
        "a.csv: 1 row whose text is empty skipped, the first in line 4.",
    ):
        assert message in result.stderr.splitlines()
    assert not re.search(r"\b1 \w+s\b", result.stderr + result.stdout)


def test_html_and_the_licence_of_a_book(rnnlm: Command):
    Path("a.csv").write_text("review\n" + "I saw it.<br /><br />It was <b>good</b>\n" * 5)
    assert rnnlm("preprocess", "a.csv", *ALL_TRAIN).stdout.startswith(
        "data/a: 5 documents, 10 sentences, 45 tokens"
    )
    Path("b.txt").write_text(f"Title\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n{BOOK}")
    result = rnnlm("preprocess", "b.txt", *ALL_TRAIN)
    assert "b.txt: 2 lines around the text of Project Gutenberg left out, the first in line 1." in result.stderr
    assert result.stdout.startswith("data/b: 3 documents")


def test_the_validation_text_may_come_from_standard_input(rnnlm: Command):
    Path("a.txt").write_text(WORDS)
    result = rnnlm(
        "preprocess",
        "a.txt",
        "--valid",
        "-",
        "--test-fraction",
        "0",
        "--json",
        stdin='{"body": "some words"}\n' * 3,
    )
    assert json.loads(result.stdout)["splits"]["valid"]["tokens"] == 9
