"""How a text begins that a network goes on with."""

from collections.abc import Sequence

from rnnlm.errors import RnnlmError, shown
from rnnlm.generation.sampler import SampledIds
from rnnlm.generation.writing import Sample, WritingSettings
from rnnlm.text.continuation import Continuation
from rnnlm.text.processor import TextProcessor
from rnnlm.text.vocabulary import Vocabulary


class SeedText:
    """A text that is continued. Its last sentence goes on.

    Parameters
    ----------
    text
        The text; it may be empty.
    vocabulary, processor
        How it becomes tokens and ids, and these become text again.
    carries_state
        Whether the network reads the sentences before the last, too.

    Attributes
    ----------
    ids
        What the network reads.

    Raises
    ------
    RnnlmError
        If it is not a string.
    """

    def __init__(self, text: str, vocabulary: Vocabulary, processor: TextProcessor, carries_state: bool) -> None:
        if not isinstance(text, str):
            raise RnnlmError(f"the text to go on from must be a string, not {shown(text)}.")
        self._text, self._vocabulary, self._processor = text, vocabulary, processor
        self._sentences = list(processor.sentences(text)) or [[]]
        read = self._sentences if carries_state else self._sentences[-1:]
        self.ids = [i for words in read for i in vocabulary.encode(words, start=True)]

    @property
    def unknown_words(self) -> list[str]:
        """Its tokens that are not in the vocabulary, in order."""
        vocabulary = self._vocabulary
        tokens = [token for words in self._sentences for token in words]
        read = zip(tokens, vocabulary.encode(tokens), strict=True)
        return [word for word, i in read if i == vocabulary.unknown_id and word != vocabulary.unknown_token]

    def continued(self, tokens: Sequence[str] = (), writing: WritingSettings | None = None) -> Continuation:
        """Return the text with tokens after it, which grows until a stop text of `writing` appears."""
        stop, keep_stop = ((), False) if writing is None else (writing.stop, writing.keep_stop)
        return Continuation(self._processor, self._text, self._sentences[-1], tokens, stop, keep_stop)

    def samples(self, drawn: list[SampledIds]) -> list[Sample]:
        """Return the text with the tokens of each sample after it."""
        samples = []
        for sample in drawn:
            tokens = self._vocabulary.decode(sample.ids)
            samples.append(Sample(self.continued(tokens).text, tokens, sample.log_prob))
        return samples
