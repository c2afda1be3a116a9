"""CSV as it is written in the world."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.readers import ReaderSettings
from rnnlm.text.report import ReadReport
from tests.text.reading import guess, read, write

COMMENTS = ["Yes, I agree, and more.", "Second one.", "A third; with | signs\tin it, of all kinds."]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_and_said(tmp_path, separator):
    file = tmp_path / "comments.csv"
    with file.open("w", newline="") as stream:
        csv.writer(stream, delimiter=separator).writerows([["id", "body"], *enumerate(COMMENTS)])
    assert read(file) == COMMENTS
    named = "tabs" if separator == "\t" else repr(separator)
    assert guess(file) == (
        f'Reading rows separated by {named}, text from \'body\': "Yes, I agree, and more." "Second one."'
    )


def test_a_comma_cuts_no_comment_between_semicolons(tmp_path):
    rows = [f"{number};author{number};{comment.replace(';', ',')}" for number, comment in enumerate(COMMENTS)]
    file = write(tmp_path / "a.csv", "\n".join(["id;author;body", *rows]))
    assert read(file) == [comment.replace(";", ",") for comment in COMMENTS]


def test_a_comma_cuts_no_text_of_the_only_column(tmp_path):
    file = write(tmp_path / "a.csv", 'text\nOne, two\n"Three, four"\nfive\n')
    assert read(file) == ["One, two", "Three, four", "five"]
    assert guess(file) == 'Reading rows of one column, text from \'text\': "One, two" "Three, four"'


def test_many_separators_in_the_texts_do_not_deceive(tmp_path):
    rows = [f'{number},"a; b; c; d"' for number in range(20)]
    assert set(read(write(tmp_path / "a.csv", "\n".join(["id; n,body", *rows])))) == {"a; b; c; d"}


def test_a_space_after_the_separator(tmp_path):
    file = write(tmp_path / "a.csv", 'id, body\n1, "Yes, I agree"\n2, plain\n')
    assert read(file) == ["Yes, I agree", "plain"]
    only_before_quotes = write(tmp_path / "b.csv", 'id,body\n1, "Yes, I agree"\n2,plain\n')
    assert read(only_before_quotes) == ["Yes, I agree", "plain"]


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\r\n', "\ufeffSEP=;\n"])
@pytest.mark.parametrize("name", ["a.csv", "export"])
def test_a_first_line_that_names_the_separator(tmp_path, first, name):
    file = write(tmp_path / name, f"{first}a,b;body\n1;Yes, I agree\n")
    assert read(file) == ["Yes, I agree"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, end):
    file = write(tmp_path / "a.csv", end.join(["\ufeffid,body", "1,one", f'2,"two{end}lines"', "3,three"]))
    assert read(file) == ["one", "two\nlines", "three"]


TATOEBA = [
    "Let's try something.",
    '"Hello," he said.',
    'He said, "Good night."',
    '"Is that so?"',
    '"I never said that, and I will not.',
    "It's nothing.",
    'The sign says "no.',
    "The end.",
]


@pytest.mark.parametrize("name", ["sentences.tsv", "sentences.csv"])
@pytest.mark.parametrize("quoting", [None, False])
def test_quotation_marks_that_are_no_quoting(tmp_path, name, quoting):
    file = write(tmp_path / name, "".join(f"{n}\teng\t{text}\n" for n, text in enumerate(TATOEBA)))
    assert read(file, header=False, text_column="3", quoting=quoting) == TATOEBA
    assert guess(file, header=False, text_column="3", quoting=quoting).startswith(
        "Reading rows separated by tabs, quotation marks as text, text from '3': \"Let's try something.\""
    )


def test_no_half_of_a_file_vanishes_behind_a_quotation_mark(tmp_path):
    """Also where the first rows show that fields are quoted."""
    texts = [f"text {number}" for number in range(1000)]
    rows = [f'{number}\t"{text}"' for number, text in enumerate(texts)]
    rows[500] = '500\t"text 500'
    file = write(tmp_path / "a.tsv", "\n".join(["id\ttext", *rows]))
    report = ReadReport()
    assert read(file, report=report) == [*texts[:500], '"text 500', *texts[501:]]
    [message] = report.messages()
    assert "1 field in which a quotation mark comes first and none closes it, the first in line 502." in message


def test_a_row_that_a_damage_cuts_is_left_out(tmp_path):
    rows = "".join(f'{number},"He said ""no"",\nand, {number}\n",x\n' for number in range(40_000))
    whole = gzip.compress(f"id,text,more\n{rows}".encode())
    for cut in range(len(whole) // 2, len(whole) // 2 + 40, 8):
        file, report = write(tmp_path / "a.csv.gz", whole[:cut]), ReadReport()
        texts = read(file, report=report, keep_damaged=True)
        assert texts == [f'He said "no",\nand, {number}\n' for number in range(len(texts))]
        assert 10_000 < len(texts) < 30_000
        others = [message for message in report.messages() if "what comes after line" not in message]
        assert others in (
            [],
            [f"{file}: 1 row that is cut off left out, the first in line {3 * len(texts) + 2:,}."],
        )


def test_quoting_can_be_chosen(tmp_path):
    file = write(tmp_path / "a.tsv", 'id\ttext\n1\t"a"\n2\t"b"\n')
    assert read(file) == ["a", "b"]
    assert read(file, quoting=False) == ['"a"', '"b"']


@pytest.mark.parametrize(("delimiter", "text"), [("auto", "a|b"), ("|", "b"), (";", "a|b")])
def test_the_delimiter_can_be_chosen(tmp_path, delimiter, text):
    file = write(tmp_path / "a.csv", "x;body|body\n1;a|b\n" if delimiter == "|" else "x;body\n1;a|b\n")
    assert read(file, delimiter=delimiter) == [text]


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t"])
def test_a_tab_can_be_written_in_some_ways(tmp_path, delimiter):
    assert read(write(tmp_path / "a.csv", "a,b\tbody\n1\ttext\n"), delimiter=delimiter) == ["text"]


def test_the_format_tsv_means_tabs(tmp_path):
    assert read(write(tmp_path / "a", "a,x\tbody,y\n1\ttext\n"), format="tsv", text_column="body,y") == ["text"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delimiter": "--"}, "`delimiter='--'` must be one character, tab or auto"),
        ({"delimiter": '"'}, "`delimiter='\"'` must be one character"),
        ({"delimiter": ""}, "`delimiter=''` must be one character"),
        ({"where": ("x",)}, "`where='x'` must be of the form FIELD=VALUE"),
        ({"where": ("=x",)}, "`where='=x'` must be of the form FIELD=VALUE"),
        ({"encoding": "nothing"}, "`encoding='nothing'`"),
        ({"format": "zz"}, "`format=zz` is not known; give one of auto, csv"),
        ({"documents": " "}, "`documents` must be line, paragraph, file"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(RnnlmError, match=message):
        ReaderSettings(**settings).check()


def test_rows_without_names_of_columns(tmp_path):
    file = write(tmp_path / "a.csv", "1,Hello there,x\n2,Good night,y\n")
    assert read(file, header=False, text_column="2") == ["Hello there", "Good night"]
    with pytest.raises(RnnlmError, match="only '1', '2', '3'; choose one by its number with `text_column`"):
        read(file, header=False)
    with pytest.raises(RnnlmError, match="if the first row names no columns, say so with `header=False`"):
        read(file)
    assert read(write(tmp_path / "b.csv", "One.\nTwo.\n"), header=False) == ["One.", "Two."]


@pytest.mark.parametrize("header", ["id,Body", "id, BODY ", "id,TEXT", "Author,Content"])
def test_names_of_columns_without_regard_to_case_and_spaces(tmp_path, header):
    assert read(write(tmp_path / "a.csv", f"{header}\n1,right\n")) == ["right"]
    assert read(write(tmp_path / "a.csv", "Title,x\nright,1\n"), text_column="title") == ["right"]


def test_an_exact_name_of_a_column_wins(tmp_path):
    assert read(write(tmp_path / "a.csv", "Body,body\nwrong,right\n")) == ["right"]
    assert read(write(tmp_path / "a.csv", "body,body\nright,wrong\n")) == ["right"]


def test_columns_are_joined(tmp_path):
    file = write(tmp_path / "a.csv", "title,selftext\nOne,Two\nThree,[removed]\n,Four\n,\n")
    report = ReadReport()
    assert read(file, report=report, text_column="title,selftext") == ["One\nTwo", "Three", "Four"]
    assert report.messages() == [f"{file}: 1 row whose text is empty skipped, the first in line 5."]
    assert "text from 'title' and 'selftext': \"One Two\" \"Three\"" in guess(file, text_column="title,selftext")
    with pytest.raises(RnnlmError, match=r"only 'title', 'selftext'; .*`text_column=title,selftext`"):
        read(file)
    with pytest.raises(RnnlmError, match="no column 'body', only"):
        read(file, text_column="title,body")


def test_rows_are_chosen(tmp_path):
    file = write(tmp_path / "a.csv", "subreddit,score,body\nx,1,one\ny,1,two\nx,2,three\n")
    report = ReadReport()
    assert read(file, where=("subreddit=x",), report=report) == ["one", "three"]
    assert report.messages() == [f"{file}: 1 record left out by `where`, the first in line 3."]
    assert read(file, where=("subreddit=x", "Score=2")) == ["three"]
    with pytest.raises(RnnlmError, match="no record has the field 'author' of `where`, but 'subreddit', 'score'"):
        read(file, where=("author=x",))


def test_fields_beyond_the_first_row_are_reported(tmp_path):
    file = write(tmp_path / "a.csv", "id,body\n1,Yes, I agree\n2,two,\n")
    report = ReadReport()
    assert read(file, report=report) == ["Yes", "two"]
    assert report.messages() == [
        f"{file}: 1 row with more fields than the first one, which may cut a text (see `delimiter`, `quoting`),"
        " the first in line 2."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Text, body and soul\nare what it takes, they say\nand nothing, nothing else\n",
        "Body, soul\nearth, sky\nfire, water\n",
        "id,body\n",
        "It was late, and we went home.\nYes, we did.\nNo, we did not.\n",
        "body;soul and more\none\ntwo; three\n",
        "text | more text\n---|---\nx | y\n",
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a", "a.md"])
def test_prose_with_separators_stays_text(tmp_path, name, text):
    assert read(write(tmp_path / name, text)) == text.splitlines()


@pytest.mark.parametrize("name", ["a.txt", "comments", "a.dat"])
def test_rows_with_a_convincing_header_are_recognized(tmp_path, name):
    content = "id\tAuthor\tbody\n1\tann\tHello there\n2\tbob\tGood night\n"
    assert read(write(tmp_path / name, content)) == ["Hello there", "Good night"]
    named = "key;utterance\n1;Hello there\n2;Good night\n"
    assert read(write(tmp_path / name, named), text_column="utterance") == ["Hello there", "Good night"]


@pytest.mark.parametrize("shape", ["quotes", "odd quotes", "spaces", "open quotes", "doubled", "separators"])
def test_hostile_rows_take_linear_time(tmp_path, shape):
    rows = {
        "quotes": '"' * 2_000_001 + "\n",
        "odd quotes": '1,"""\n' * 200_000,
        "spaces": "1,     \n" * 200_000 + " " * 1_000_000 + "\n",
        "open quotes": '1,"x\n' * 200_000,
        "doubled": '1,"x""\n' * 200_000,
        "separators": ",;\t|" * 500_000 + "\n",
    }
    file = write(tmp_path / "a.csv", f"id,body\n{rows[shape]}2,last\n")
    assert read(file)[-1].endswith("last")


values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1)


@given(
    rows=st.lists(st.tuples(values, values)),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
)
@example(rows=[("a", 'say "so"'), ("b", '"'), ("c", ' "x')], separator=",", quoting=csv.QUOTE_MINIMAL)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], separator: str, quoting: int
) -> None:
    file = Path(tmp_path_factory.mktemp("csv")) / "a.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=separator, quoting=quoting).writerows([["key", "body"], *rows])  # type: ignore[arg-type]
    assert read(file) == [body for _, body in rows]
    assert read(file, header=False, text_column="2", delimiter=separator) == ["body", *(body for _, body in rows)]
