"""A text read by a model of any kind."""

from collections.abc import Iterable

from rnnlm.errors import RnnlmError
from rnnlm.inspect.answers import read_with_classifier, read_with_tagger
from rnnlm.inspect.language import read_with_language_model
from rnnlm.inspect.reading import Document, Reading
from rnnlm.inspect.translation import read_with_translator
from rnnlm.models.classifier import Classifier
from rnnlm.models.forecaster import Forecaster
from rnnlm.models.kinds import AnyModel
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.model import TextModel
from rnnlm.models.tagger import Tagger
from rnnlm.models.translator import Translator


def readable(model: AnyModel) -> TextModel:
    """Return a model that reads text.

    Raises
    ------
    RnnlmError
        If it does not.
    """
    if isinstance(model, Forecaster):
        raise RnnlmError(
            "A forecaster reads no text; 'rnnlm report' and 'rnnlm plot' show what it forecasts, or name a model "
            "of another kind."
        )
    return model


def read(model: TextModel, documents: Iterable[Document]) -> Reading:
    """Let a model read documents, at most 20,000 tokens of them.

    A language model predicts each token from those before it; a classifier, after each token, the label of the
    text; a tagger the tag of each token; a translator each token of its translation.

    Raises
    ------
    RnnlmError
        If there is no token, the model overflows, or a label is not one of its own.
    """
    if isinstance(model, LanguageModel):
        reading = read_with_language_model(model, documents)
    elif isinstance(model, Classifier):
        reading = read_with_classifier(model, documents)
    elif isinstance(model, Tagger):
        reading = read_with_tagger(model, documents)
    elif isinstance(model, Translator):
        reading = read_with_translator(model, documents)
    else:
        raise TypeError("there is no other kind of model of text")
    if not reading.tokens:
        raise RnnlmError("The text has no tokens; give at least one word.")
    return reading
