import pytest

from rnnlm.inspect import properties as module
from rnnlm.inspect.properties import properties
from rnnlm.inspect.reading import Token


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let short texts be measured."""
    monkeypatch.setattr(module, "FEWEST", 1)


def characters(text: str) -> list[Token]:
    first, *others = text
    return [Token(first, begins="text"), *map(Token, others)]


def words(text: str, begins: str = "text") -> list[Token]:
    first, *others = text.split()
    return [Token(first, begins=begins), *(Token(word, space=True) for word in others)]


def values(tokens: list[Token], name: str) -> list[float]:
    by_name = {each.name: each for each in properties(tokens)}
    return by_name[name].values.tolist()


def marks(tokens: list[Token], name: str) -> str:
    """Return a property that is there or not as a line below the text."""
    return "".join("x" if value else "." for value in values(tokens, name))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("inside quotes", 'Say "yes" now', "....xxxx....."),
        ("inside quotes", "Sag „ja“ nun, «oui»", "....xxx.......xxxx."),
        ("inside brackets", "f(a[0]) + (b) :)", ".xxxxx....xx...."),
        ("capital letter", "A bC", "x..x"),
        ("word in capitals", "KING Richard II I", ".xxx..........x.."),
        ("after a full stop", "Ho! He. 3.14 Eh", "..xx..xx.x....."),
        ("first line after an empty line", "A:\nb\n\nC:\nd", "xx..." + "xxx.."),
    ],
)
def test_what_is_there_or_not(name: str, text: str, expected: str) -> None:
    assert marks(characters(text), name) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("position in the line", "ab\n\nc\nde", [1, 2, 0, 0, 1, 0, 1, 2]),
        ("position in the sentence", "Ab. C d", [1, 2, 3, 4, 1, 2, 3]),
        ("length of the word so far", "don't 12a, b", [1, 2, 3, 4, 5, 0, 1, 2, 3, 0, 0, 1]),
        ("depth of brackets", "({[x]})", [1, 2, 3, 3, 2, 1, 0]),
        ("indentation", "if:\n  a\n\tb", [0, 0, 0, 0, 1, 2, 2, 0, 4, 4]),
    ],
)
def test_amounts(name: str, text: str, expected: list[float]) -> None:
    assert values(characters(text), name) == expected


def test_words_have_the_same_properties() -> None:
    tokens = [*words("`` I see '' , he says . Go on"), Token("END", "end"), *words("No way", "sentence")]
    assert values(tokens, "inside quotes") == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert values(tokens, "position in the sentence") == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 1, 2]
    assert values(tokens, "length of the word so far") == [0, 1, 3, 0, 0, 2, 4, 0, 2, 2, 0, 2, 3]


def test_a_text_begins_afresh() -> None:
    tokens = characters('"(a b') + characters("cd")
    assert values(tokens, "inside quotes") == [1, 1, 1, 1, 1, 0, 0]
    assert values(tokens, "inside brackets") == [0, 1, 1, 1, 1, 0, 0]


def test_a_forgotten_quotation_mark_ends_with_its_paragraph() -> None:
    assert marks(characters('"a\n\nb "c"'), "inside quotes") == "xxx...xx."


def test_labels_are_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = [Token("a", label="tag DET"), Token("cat", label="tag NOUN"), Token("the", label="tag DET")]
    assert values(tokens, "tag DET") == [1, 0, 1]
    assert values(tokens, "tag NOUN") == [0, 1, 0]
    monkeypatch.setattr(module, "MOST_LABELS", 1)
    assert [each.name for each in properties(tokens) if each.name.startswith("tag")] == ["tag DET"]


def test_what_is_rare_or_everywhere_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [each.name for each in properties(characters("abc def"))]
    # Without a line there is no position in one, and nothing in lower case is a capital.
    assert names == ["position in the sentence", "length of the word so far"]
    monkeypatch.setattr(module, "FEWEST", 2)
    assert "capital letter" not in [each.name for each in properties(characters("Abc def"))]
