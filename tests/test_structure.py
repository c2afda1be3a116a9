"""How large a part of the code may be: what is larger has more than one duty."""

from scripts.measure_code import Part, classes, constructors, functions


def over(limit: int, parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.size > limit]


def test_no_class_is_longer_than_250_lines() -> None:
    assert over(250, classes()) == []


def test_no_function_is_longer_than_60_lines() -> None:
    assert over(60, functions()) == []


def test_no_constructor_has_more_than_8_parameters() -> None:
    assert over(8, constructors()) == []
