import re

from rnnlm.text.cutting import cut

PLACES = [re.compile(f".*{place}", re.DOTALL) for place in (r"\s", ",")]


def test_text_is_cut_at_the_last_of_the_best_places() -> None:
    assert list(cut("a b,c de", 5, PLACES)) == ["a ", "b,c ", "de"]
    assert list(cut("ab,cd,ef", 5, PLACES)) == ["ab,", "cd,ef"]
    assert list(cut("abcdefg", 3, PLACES)) == ["abc", "def", "g"]


def test_short_text_is_one_piece() -> None:
    assert list(cut("", 5, PLACES)) == [""]
    assert list(cut("a b c", 5, PLACES)) == ["a b c"]
