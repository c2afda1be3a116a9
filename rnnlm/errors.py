"""The one exception that callers need to catch."""


class RnnlmError(Exception):
    """Something the user can act on.

    The message is one sentence that names the file, line or key, what is wrong and what to do.
    """
