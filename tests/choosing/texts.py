"""Facts about texts that nobody has written."""

from rnnlm.choosing.facts import Facts


def facts(tokens: int = 100_000, vocabulary_size: int = 8_000, **others: object) -> Facts:
    """Describe a text of sentences of twenty tokens; other attributes as given."""
    values: dict[str, object] = {
        "path": "data/text",
        "tokens": tokens,
        "sentences": max(1, tokens // 20),
        "valid_tokens": tokens // 18,
        "vocabulary_size": vocabulary_size,
        "unknown_tokens": tokens // 50,
        "cutoffs": (vocabulary_size // 20 + 1, vocabulary_size // 4 + 2),
        "unigram_loss": 6.0 if vocabulary_size > 500 else 3.3,
        "is_of_words": vocabulary_size > 500,
    }
    return Facts(**{**values, **others})  # type: ignore[arg-type]
