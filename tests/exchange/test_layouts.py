import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from rnnlm.config import Config
from rnnlm.errors import RnnlmError
from rnnlm.exchange.importing import WordList, import_run
from rnnlm.models.language_model import LanguageModel
from rnnlm.nn.arrays import Floats

H = 5
TUTORIAL_WORDS = ["the", "SENTENCE_END", "cat", "sees", "SENTENCE_START", "owl", ".", "UNKNOWN_TOKEN"]
EXAMPLE_WORDS = ["The", "cat", "<unk>", "<eos>", "sees", "owl", "."]
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


def arrays(**shapes: tuple[int, ...]) -> dict[str, Floats]:
    rng = np.random.default_rng(3)
    return {name: rng.normal(0, 0.6, shape).astype(np.float32) for name, shape in shapes.items()}


def word_file(path: Path, words: list[str]) -> Path:
    path.write_text("\n".join(words) + "\n")
    return path


def log_softmax(logits: Floats) -> Floats:
    logits = logits - logits.max()
    rows: Floats = logits - math.log(np.exp(logits).sum())
    return rows


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


# The published tutorial's network.


@pytest.fixture
def tutorial(tmp_path: Path) -> tuple[Path, Path, dict[str, Floats]]:
    C = len(TUTORIAL_WORDS)
    weights = arrays(U=(H, C), V=(C, H), W=(H, H))
    path = tmp_path / "published.npz"
    np.savez(path, **weights)  # type: ignore[arg-type]
    return path, word_file(tmp_path / "words.txt", TUTORIAL_WORDS), weights


def published_forward(weights: dict[str, Floats], ids: list[int]) -> list[Floats]:
    U, V, W = (weights[name].astype(float) for name in "UVW")
    s, rows = np.zeros(H), []
    for i in ids:
        s = np.tanh(U[:, i] + W @ s)
        rows.append(log_softmax(V @ s))
    return rows


def test_the_tutorials_network_predicts_what_the_published_forward_pass_does(
    tutorial: tuple[Path, Path, dict[str, Floats]], tmp_path: Path
) -> None:
    path, words, weights = tutorial
    seen = import_run(path, Config(), tmp_path / "run", WordList.read(words), deduce=True)
    assert seen == "the published tutorial's network: 5 tanh units, 8 words"
    model = LanguageModel.load(tmp_path / "run")
    tokens = model.vocabulary.tokens
    assert tokens == ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "the", "cat", "sees", "owl", "."]
    read = ["SENTENCE_START", "the", "cat", "sees", "the", "UNKNOWN_TOKEN", "."]
    rows = published_forward(weights, [TUTORIAL_WORDS.index(token) for token in read])
    found = model.log_probs(model.vocabulary.encode(read[1:], start=True))
    for row, other in zip(found, rows, strict=True):
        for token, log_prob in zip(tokens, row, strict=True):
            assert log_prob == pytest.approx(other[TUTORIAL_WORDS.index(token)], abs=1e-5, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"V": (8, H + 1)},
            r"its arrays are U \(5, 8\), V \(8, 6\), W \(5, 5\), not the tutorial's U \(units, words\)",
        ),
        ({"b": (H,)}, r"W \(5, 5\), b \(5,\), not the tutorial's"),
        ({"U": (H,)}, "not the tutorial's"),
    ],
)
def test_other_arrays_than_the_tutorials_are_named(
    tmp_path: Path, changes: dict[str, tuple[int, ...]], message: str
) -> None:
    np.savez(tmp_path / "m.npz", **arrays(**{"U": (H, 8), "V": (8, H), "W": (H, H)} | changes))  # type: ignore[arg-type]
    with pytest.raises(RnnlmError, match=message):
        import_run(tmp_path / "m.npz", Config(), tmp_path / "run", deduce=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (TUTORIAL_WORDS[:-1], "words.txt: it has 7 words, but the weights are for 8"),
        (["a", *TUTORIAL_WORDS[1:7], "b"], "none of its words is UNKNOWN_TOKEN or <unk> or <UNK>"),
        (["SENTENCE_END", *TUTORIAL_WORDS[1:]], "words.txt, line 2: 'SENTENCE_END' is in line 1 already"),
        (["the", "", *TUTORIAL_WORDS[2:]], "words.txt, line 2: it is empty"),
    ],
)
def test_a_word_list_that_does_not_fit_is_refused(
    tutorial: tuple[Path, Path, dict[str, Floats]], tmp_path: Path, words: list[str], message: str
) -> None:
    word_file(tutorial[1], words)
    with pytest.raises(RnnlmError, match=message):
        import_run(tutorial[0], Config(), tmp_path / "run", WordList.read(tutorial[1]), deduce=True)
    assert not (tmp_path / "run").exists()


def test_a_configuration_that_says_otherwise_is_refused(
    tutorial: tuple[Path, Path, dict[str, Floats]], tmp_path: Path
) -> None:
    config = Config.model_validate({"model": {"hidden_size": 100}})
    with pytest.raises(RnnlmError, match=r"model\.hidden_size is 5 in these weights, not 100"):
        import_run(tutorial[0], config, tmp_path / "run", WordList.read(tutorial[1]))
    agreeing = Config.model_validate({"model": {"hidden_size": 5}, "optimizer": {"learning_rate": 0.5}})
    import_run(tutorial[0], agreeing, tmp_path / "run", WordList.read(tutorial[1]))
    assert LanguageModel.load(tmp_path / "run").config.optimizer.learning_rate == 0.5


def test_a_configuration_of_another_task_is_refused(
    tutorial: tuple[Path, Path, dict[str, Floats]], tmp_path: Path
) -> None:
    config = Config.model_validate({"task": {"name": "classify"}})
    with pytest.raises(
        RnnlmError, match=r"a language model's weights, but task\.name is classify; leave the key out"
    ):
        import_run(tutorial[0], config, tmp_path / "run", WordList.read(tutorial[1]))


def test_words_are_asked_for(tutorial: tuple[Path, Path, dict[str, Floats]], tmp_path: Path) -> None:
    with pytest.raises(
        RnnlmError, match="published tutorial's network: 5 tanh units, 8 words; give `vocab=WORDS`"
    ):
        import_run(tutorial[0], Config(), tmp_path / "run", deduce=True)


# PyTorch's word-language-model example.


def example(kind: str, words: int, tied: bool, layers: int = 2) -> dict[str, Floats]:
    G, E = GATES[kind], H if tied else 4
    shapes: dict[str, tuple[int, ...]] = {"encoder.weight": (words, E)}
    for k in range(layers):
        shapes[f"rnn.weight_ih_l{k}"] = (G * H, E if k == 0 else H)
        shapes[f"rnn.weight_hh_l{k}"] = (G * H, H)
        shapes |= {f"rnn.bias_{side}_l{k}": (G * H,) for side in ("ih", "hh")}
    weights = arrays(**shapes, **{"decoder.weight": (words, H), "decoder.bias": (words,)})
    if tied:
        weights["decoder.weight"] = weights["encoder.weight"].copy()
    return weights


def step(kind: str, a: Floats, b: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Take a step as torch.nn documents it, from ``W_i x + b_i`` and ``W_h h + b_h``."""
    if kind == "LSTM":
        i, f, g, o = np.split(a + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    if kind == "GRU":
        (a_r, a_z, a_n), (b_r, b_z, b_n) = np.split(a, 3), np.split(b, 3)
        z, n = sigmoid(a_z + b_z), np.tanh(a_n + sigmoid(a_r + b_r) * b_n)
        return (1 - z) * n + z * h, c
    return (np.tanh(a + b) if kind == "RNN_TANH" else np.maximum(a + b, 0)), c


def example_forward(kind: str, weights: dict[str, Floats], ids: list[int], layers: int = 2) -> list[Floats]:
    w = {name: value.astype(float) for name, value in weights.items()}
    states, rows = [(np.zeros(H), np.zeros(H)) for _ in range(layers)], []
    for i in ids:
        x = w["encoder.weight"][i]
        for k, (h, c) in enumerate(states):
            a = w[f"rnn.weight_ih_l{k}"] @ x + w[f"rnn.bias_ih_l{k}"]
            b = w[f"rnn.weight_hh_l{k}"] @ h + w[f"rnn.bias_hh_l{k}"]
            states[k] = step(kind, a, b, h, c)
            x = states[k][0]
        rows.append(log_softmax(w["decoder.weight"] @ x + w["decoder.bias"]))
    return rows


def imported(
    weights: dict[str, Floats], words: list[str], out: Path, **model: Any
) -> tuple[LanguageModel, str | None]:
    path = out.parent / "model.safetensors"
    path.write_bytes(safetensors.numpy.save(weights))
    config = Config.model_validate({"model": model})
    seen = import_run(path, config, out, WordList.read(word_file(out.parent / "words.txt", words)), deduce=True)
    return LanguageModel.load(out), seen


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", GATES)
def test_pytorchs_example_predicts_what_it_does_there(tmp_path: Path, kind: str, tied: bool) -> None:
    weights = example(kind, len(EXAMPLE_WORDS), tied)
    model_keys = {"nonlinearity": kind[4:].lower()} if kind.startswith("RNN") else {}
    model, seen = imported(weights, EXAMPLE_WORDS, tmp_path / "run", **model_keys)
    name = kind.partition("_")[0] + (", tied weights" if tied else "")
    assert seen == f"PyTorch's word-language-model example: {name}, 2 x 5, 7 words"
    assert model.config.training.batching == "stream"
    assert model.config.model.tie_weights == tied
    tokens = model.vocabulary.tokens
    assert tokens == ["<unk>", "SENTENCE_START", "<eos>", "The", "cat", "sees", "owl", "."]
    # Its <eos> ends a sentence and begins the next: what it reads as one token is two here, of which one is read.
    read = ["<eos>", "The", "cat", "sees", "<unk>", ".", "<eos>", "The", "owl"]
    rows = example_forward(kind, weights, [EXAMPLE_WORDS.index(token) for token in read])
    found = model.log_probs([1 if token == "<eos>" else tokens.index(token) for token in read])
    for row, other in zip(found, rows, strict=True):
        for token in EXAMPLE_WORDS:
            assert row[tokens.index(token)] == pytest.approx(other[EXAMPLE_WORDS.index(token)], abs=1e-5, rel=1e-5)
    assert np.exp(found[:, 1].astype(float)).tolist() == [0.0] * len(read)
    score = model.score("The cat sees the .")
    assert [token for token, _ in score.tokens] == ["The", "cat", "sees", "the", ".", "<eos>"]
    for (_, log_prob), row, token in zip(score.tokens, rows, read[1:], strict=False):
        assert log_prob == pytest.approx(row[EXAMPLE_WORDS.index(token)], abs=1e-5, rel=1e-5)


def test_the_start_of_a_sentence_is_never_written(tmp_path: Path) -> None:
    model, _ = imported(example("LSTM", len(EXAMPLE_WORDS), True), EXAMPLE_WORDS, tmp_path / "run")
    rows = model.writer.next_tokens("The", 10, allow_unknown=True)
    assert "SENTENCE_START" not in dict(rows)
    assert sum(dict(rows).values()) == pytest.approx(1, abs=1e-5, rel=1e-5)


def test_without_an_unknown_word_the_mean_of_all_is_read_for_one(tmp_path: Path) -> None:
    words = [word for word in EXAMPLE_WORDS if word != "<unk>"]
    weights = example("LSTM", len(words), False)
    model, seen = imported(weights, words, tmp_path / "run")
    assert seen is not None
    assert seen.endswith("; no <unk> among them, so other words are read as the mean of all, never predicted")
    assert model.vocabulary.tokens[:3] == ["UNKNOWN_TOKEN", "SENTENCE_START", "<eos>"]
    mean = weights["encoder.weight"].mean(axis=0)
    np.testing.assert_allclose(model.network.parameters["embedding.weight"][0], mean, rtol=1e-5)
    [row] = example_forward("LSTM", weights, [words.index("<eos>")])
    found = model.log_probs([1])[0]
    assert [found[model.vocabulary.tokens.index(word)] for word in words] == pytest.approx(
        row.tolist(), abs=1e-5, rel=1e-5
    )
    assert np.exp(float(found[0])) == 0


@pytest.mark.parametrize("missing", ["encoder.weight", "decoder.weight"])
def test_tied_weights_may_be_saved_once(tmp_path: Path, missing: str) -> None:
    weights = example("GRU", len(EXAMPLE_WORDS), True)
    [row] = example_forward("GRU", weights, [EXAMPLE_WORDS.index("<eos>")])
    del weights[missing]
    model, _ = imported(weights, EXAMPLE_WORDS, tmp_path / "run")
    assert model.config.model.tie_weights
    assert model.log_probs([1])[0, 2] == pytest.approx(row[EXAMPLE_WORDS.index("<eos>")], abs=1e-5, rel=1e-5)


def test_what_the_weights_do_not_say_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        RnnlmError, match=r"whether its layers are RNN_TANH or RNN_RELU; add `set=model\.nonlinearity"
    ):
        imported(example("RNN_RELU", len(EXAMPLE_WORDS), True), EXAMPLE_WORDS, tmp_path / "run")


def test_other_networks_of_the_example_are_refused(tmp_path: Path) -> None:
    weights = arrays(**{"encoder.layers.0.linear1.weight": (4, 4), "decoder.weight": (7, 4), "decoder.bias": (7,)})
    with pytest.raises(RnnlmError, match="these are a transformer's weights; only recurrent networks"):
        imported(weights, EXAMPLE_WORDS, tmp_path / "run")
    weights = arrays(**{"encoder.weight": (7, 4), "decoder.weight": (7, 4), "decoder.bias": (7,)})
    with pytest.raises(RnnlmError, match="but not the recurrent layers of PyTorch's"):
        imported(weights, EXAMPLE_WORDS, tmp_path / "run")
    for name, shape in (("decoder.bias", ()), ("decoder.bias", (6,)), ("decoder.weight", (7, 4))):
        weights = example("LSTM", 7, False) | arrays(**{name: shape})
        with pytest.raises(RnnlmError, match=r"do not fit one another and 5 hidden units"):
            imported(weights, EXAMPLE_WORDS, tmp_path / "run")
    weights = example("LSTM", 7, False) | arrays(**{"rnn.weight_ih_l0_reverse": (20, 4)})
    with pytest.raises(RnnlmError, match=r"rnn\.weight_ih_l0_reverse \(20, 4\) has no place"):
        imported(weights, EXAMPLE_WORDS, tmp_path / "run")


def test_a_list_without_its_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RnnlmError, match="none of its words is <eos>"):
        imported(example("LSTM", 2, False), ["a", "b"], tmp_path / "run")


def test_a_list_of_words_is_not_for_weights_with_our_names(word_model: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(
        safetensors.numpy.save({k: np.ascontiguousarray(v) for k, v in word_model.network.parameters.items()})
    )
    words = WordList.read(word_file(tmp_path / "words.txt", EXAMPLE_WORDS))
    with pytest.raises(RnnlmError, match=r"words\.txt: a list of words is for weights of another program"):
        import_run(path, word_model.config, tmp_path / "run", words)
    with pytest.raises(RnnlmError, match="its weights do not say what network they are of; give `config`"):
        import_run(path, Config(), tmp_path / "run", word_model.vocabulary, deduce=True)
