import numpy as np

from rnnlm.models.language_model import LanguageModel
from rnnlm.resources import MODEL


def test_the_installed_model_is_small_and_has_learned():
    assert sum(file.stat().st_size for file in MODEL.iterdir()) < 3_000_000
    model = LanguageModel.load(MODEL)
    # The vocabulary's 3549 tokens would be as many if it had learned nothing.
    assert model.perplexity(["I think it is a good idea.", "What do you think about that?"]) < 150
    assert np.isfinite(model.log_probs([1, 5, 9])).all()
