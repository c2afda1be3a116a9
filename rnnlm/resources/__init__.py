"""What is installed beside the code: the sample corpus, a small model trained on it, and a series."""

from pathlib import Path

SAMPLE_CORPUS = Path(__file__).parent / "sample-comments.csv"
"""A few hundred comments, written for this project."""

SAMPLE_SERIES = Path(__file__).parent / "airline-passengers.csv"
"""Passengers of airlines, in thousands a month, 1949 to 1960 (Box and Jenkins 1976, series G)."""

MODEL = Path(__file__).parent / "model"
"""A checkpoint; ``make model`` trained it."""
