"""The mathematics: arrays in, arrays out; nothing here knows of text, files, configuration or the command line."""

from rnnlm.nn.network import Network

__all__ = ["Network"]
