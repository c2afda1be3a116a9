"""The command line: one thin module a command."""

from rnnlm.cli.main import main

__all__ = ["main"]
