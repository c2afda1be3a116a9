"""The one exception that callers need to catch, and how its messages quote a value."""


class RnnlmError(Exception):
    """Something the user can act on.

    The message is one sentence that names the file, line or key, what is wrong and what to do.
    """


def shown(value: object) -> str:
    """Return a value as a message quotes it: as YAML and JSON call it, and not at any length."""
    try:
        text = "null" if value is None else repr(value)
    except ValueError:  # Python does not write out numbers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:97]}..."
