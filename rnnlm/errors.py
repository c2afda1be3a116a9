"""The one exception that callers need to catch, and how its messages quote a value."""


class RnnlmError(Exception):
    """An error that the user can mend.

    The message is one sentence that names the file, line or key, what is wrong and what to do. Parameters stand in
    backquotes as Python has them, ```top_k``` or ```top_k=5```; the command line prints its options instead.
    """


def shown(value: object) -> str:
    """Return a value as a message quotes it: None as ``null``, and at most 100 characters."""
    try:
        text = "null" if value is None else repr(value)
    except ValueError:  # Python does not write out numbers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:97]}..."
