"""Estimates in words."""


def rounded(number: float) -> str:
    """Write a number with two digits that count, as an estimate has no more: 34,000 for 33,711."""
    unit = 10 ** max(0, len(f"{number:.0f}") - 2)
    return f"{round(number / unit) * unit:,}"


def duration(seconds: float) -> str:
    """Write a time with two digits that count, in seconds, minutes, hours or days."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            return _counted(seconds / size, name)
    return _counted(max(seconds, 1), "second")


def times(number: float) -> str:
    """Write how often a text is read: 0.03, 2.5, 12 times."""
    return f"{number:.2g} times" if number < 10 else f"{number:.0f} times"


def _counted(number: float, name: str) -> str:
    text = f"{number:.0f}" if number >= 10 else f"{number:.2g}"
    return f"{text} {name}" + ("" if text == "1" else "s")
