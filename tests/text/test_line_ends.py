import pytest

from rnnlm.text.tokenizers import SPACE_BOUND, make_tokenizer

POEM = "The sun was shining on the sea,\nShining with all his might:\n\nHe did his very best."


@pytest.mark.parametrize("name", [*SPACE_BOUND, "unicode"])
def test_a_poem_keeps_its_lines(name):
    tokenizer = make_tokenizer(name, keep_lines=True)
    tokens = tokenizer.tokenize(POEM)
    assert tokens.count("\n") == 3
    assert tokenizer.detokenize(tokens) == POEM
    growing = tokenizer.growing(tokens[:5])
    for token in tokens[5:]:
        growing.append(token)
    assert growing.text == POEM


def test_every_kind_of_line_end_is_one_and_of_empty_lines_one_is_kept():
    tokenizer = make_tokenizer("whitespace", keep_lines=True)
    assert tokenizer.tokenize("a\r\nb\rc\u2028d\n \n\t\n\ne\n") == [
        *("a", "\n", "b", "\n", "c", "\n", "d", "\n", "\n", "e", "\n"),
    ]
    assert tokenizer.tokenize("") == []


def test_quotes_begin_anew_in_every_line():
    tokenizer = make_tokenizer("nltk", keep_lines=True)
    text = '"yes\n"no"'
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == text
