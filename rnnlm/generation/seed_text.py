"""How a text begins that a network goes on with."""

from collections.abc import Sequence

from rnnlm.errors import RnnlmError, shown
from rnnlm.generation.sampler import SampledIds
from rnnlm.generation.writing import Sample
from rnnlm.text.continuation import Continuation
from rnnlm.text.vocabulary import Vocabulary


class SeedText:
    """A text, maybe empty, that is continued. Its last sentence goes on.

    Parameters
    ----------
    carries_state
        Whether the network reads the sentences before the last, too.

    Raises
    ------
    RnnlmError
        If it is not a string.
    """

    def __init__(self, text: str, vocabulary: Vocabulary, carries_state: bool) -> None:
        if not isinstance(text, str):
            raise RnnlmError(f"The text to go on from must be a string, not {shown(text)}.")
        self._text, self._vocabulary = text, vocabulary
        self._sentences = list(vocabulary.processor.sentences(text)) or [[]]
        self._read = self._sentences if carries_state else self._sentences[-1:]

    def ids(self, label: str | None = None) -> list[int]:
        """Return what the network reads, every sentence with the start of the text's label; see `label_start`."""
        start = self._vocabulary.label_start(label)
        return [i for words in self._read for i in (start, *self._vocabulary.encode(words))]

    @property
    def unknown_words(self) -> list[str]:
        """Its tokens that are not in the vocabulary, in order."""
        vocabulary = self._vocabulary
        tokens = [token for words in self._sentences for token in words]
        read = zip(tokens, vocabulary.encode(tokens), strict=True)
        return [word for word, i in read if i == vocabulary.unknown_id and word != vocabulary.unknown_token]

    def continued(
        self, tokens: Sequence[str] = (), *, stop: Sequence[str] = (), keep_stop: bool = False
    ) -> Continuation:
        """Return the text with tokens after it; see `Continuation`."""
        processor = self._vocabulary.processor
        return Continuation(processor, self._text, self._sentences[-1], tokens, stop, keep_stop)

    def sample(self, drawn: SampledIds, label: str | None = None) -> Sample:
        """Return the text with the tokens of a sample after it."""
        tokens = self._vocabulary.decode(drawn.ids)
        return Sample(self.continued(tokens).text, tokens, drawn.log_prob, label)
