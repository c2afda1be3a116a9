import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlm.text.cleaning import clean_comment


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("[deleted]", ""),
        (" [removed] ", ""),
        ("[ Removed by Reddit ]", ""),
        ("it was [deleted] later", "it was [deleted] later"),
        ("a &amp; b &lt;3", "a & b <3"),
        ("&amp;gt; quoted\nanswer", "quoted\nanswer"),
        ("> quoted\n>> twice\nanswer", "quoted\ntwice\nanswer"),
        ("see [this](http://x.org/a_(b)) now", "see this now"),
        ('see [this](http://x.org "title") now', "see this now"),
        ("![gif](giphy|abc)", "gif"),
        ("[not a link] (really)", "[not a link] (really)"),
        ("**bold** and *italic* and ***both***", "bold and italic and both"),
        ("**bold with *italic* inside**", "bold with italic inside"),
        ("2*3*4 = 24 and snake_case_name", "2*3*4 = 24 and snake_case_name"),
        ("a * b * c", "a * b * c"),
        ("~~gone~~ `code` ```more```", "gone code more"),
        ("# Title\n* item one\n* item two", "Title\nitem one\nitem two"),
        (">!spoiler!<", "spoiler"),
        (r"\*not emphasis\* ¯\\_(ツ)_/¯", "*not emphasis* ¯\\_(ツ)_/¯"),
        ("I don’t ‘quote’", "I don't ‘quote’"),
        ("a\u200bb\u00adc\x07d", "abcd"),
        ("  many\t\tspaces&nbsp; here \n\n\n next ", "many spaces here\nnext"),
        ("line\u2028separator\r\nhere", "line\nseparator\nhere"),
        ("family 👨‍👩‍👧", "family 👨‍👩‍👧"),
        ("", ""),
    ],
)
def test_clean_comment(comment, expected):
    assert clean_comment(comment) == expected


@given(st.text())
def test_any_text_is_cleaned(text):
    cleaned = clean_comment(text)
    assert cleaned == cleaned.strip()
    assert "\n\n" not in cleaned
    assert "  " not in cleaned


@pytest.mark.parametrize("reference", [f"&#{'9' * 5000};", f"&amp;#{'9' * 5000}", f"&#{'0' * 5000}65;"])
def test_a_character_of_a_number_beyond_reading(reference):
    assert clean_comment(f"a {reference} b") == "a \ufffd b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I saw it.<br /><br />Good.", "I saw it.\nGood."),
        ("<p>One.</p><P class='x'>Two.</P>", "One.\nTwo."),
        ('<a href="https://x.y/z?a=1&amp;b=2">a link</a> and <b>bold</b><img src=x.png/>', "a link and bold"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("I <3 you", "I <3 you"),
        ("a < b and c > d", "a < b and c > d"),
        ("a <b and c> d", "a <b and c> d"),
        ("<name> said <s> the </s> <unk>", "<name> said <s> the </s> <unk>"),
        ("write &lt;br&gt; there", "write <br> there"),
    ],
)
def test_html_tags(text, expected):
    assert clean_comment(text) == expected


@pytest.mark.parametrize("part", ["<a ", "<a x=y ", "<br", "<a x = ", '<a x="y', "<p  ", "<a x=y x=y"])
def test_half_tags_take_linear_time(part):
    assert clean_comment(part * 100_000)
