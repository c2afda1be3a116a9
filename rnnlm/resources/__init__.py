"""What is installed beside the code: the sample corpus, and a small model trained on it."""

from pathlib import Path

SAMPLE_CORPUS = Path(__file__).parent / "sample-comments.csv"
"""A few hundred comments, written for this project."""

MODEL = Path(__file__).parent / "model"
"""A checkpoint; ``make model`` trained it."""
