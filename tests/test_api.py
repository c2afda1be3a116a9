import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rnnlm


def test_a_model_is_loaded_from_a_run(word_run: Path):
    lm = rnnlm.load(word_run)
    assert isinstance(lm, rnnlm.LanguageModel)
    assert lm.vocabulary.tokens[:3] == ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END"]
    assert lm.config.model.hidden_size == 12
    assert isinstance(rnnlm.load(str(word_run)).generate("the cat", temperature=0.8, seed=1), str)


def test_help_explains_what_a_model_can_do():
    for name in ("load", "generate", "samples", "stream", "score", "perplexity", "log_probs", "evaluate"):
        assert inspect.isroutine(method := getattr(rnnlm.LanguageModel, name)), name
        assert method.__doc__, name


def test_importing_it_loads_nothing_heavy():
    program = (
        "import sys, rnnlm\n"
        "heavy = {'numpy', 'nltk', 'pydantic', 'yaml', 'click', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert rnnlm.LanguageModel.__name__ == 'LanguageModel'\n"
        "assert 'numpy' in sys.modules and 'click' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_it_says_its_version():
    assert rnnlm.__version__ == importlib.metadata.version("rnnlm-numpy")


@pytest.mark.parametrize("value", [3, ["a"], None])
def test_what_is_not_text_is_refused(word_run: Path, value: Any):
    lm = rnnlm.load(word_run)
    for call in (lm.generate, lm.score, lambda text: lm.perplexity([text]), lambda text: list(lm.stream(text))):
        with pytest.raises(rnnlm.RnnlmError, match="must be a string, not"):
            call(value)
    with pytest.raises(rnnlm.RnnlmError, match=r"Tokens must be a list, not the text 'the cat'"):
        lm.vocabulary.encode("the cat")


def test_names_that_are_not_there():
    with pytest.raises(AttributeError, match="module 'rnnlm' has no attribute 'Model'"):
        rnnlm.Model  # noqa: B018
    kinds = {"Classifier", "Forecaster", "LanguageModel", "Tagger", "Translator"}
    assert set(rnnlm.__all__) == {*kinds, "RnnlmError", "load"}


def test_every_error_is_one_that_the_package_names(tmp_path: Path, word_run: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(rnnlm.RnnlmError, match="none: no such directory"):
        rnnlm.load(tmp_path / "none")
    for name in ("empty", "file"):
        with pytest.raises(rnnlm.RnnlmError, match=f"{name}: neither a run nor a checkpoint"):
            rnnlm.load(tmp_path / name)
    (tmp_path / "begun/checkpoints").mkdir(parents=True)
    with pytest.raises(rnnlm.RnnlmError, match="begun: this run has no checkpoint yet"):
        rnnlm.load(tmp_path / "begun")
