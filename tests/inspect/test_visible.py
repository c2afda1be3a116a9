from rnnlm.inspect.reading import Token
from rnnlm.inspect.visible import named, plain, visible


def test_nothing_is_invisible() -> None:
    assert plain("a\x1b[0m\u2067b\x7f é🙈\u200d") == "a⟨U+001B⟩[0m⟨U+2067⟩b⟨U+007F⟩ é🙈\u200d"


def test_white_space_is_seen() -> None:
    assert [named(text) for text in (" ", "\n", "\t", "a b", "\r")] == ["␣", "↵", "⇥", "a b", "⟨U+000D⟩"]
    tokens = [Token(" "), Token("\n"), Token("END", "end"), Token("END")]
    assert [visible(token) for token in tokens] == [" ", "↵\n", "¶", "END"]
