import numpy as np
import pytest

from rnnlm.config import Config, ModelConfig
from rnnlm.errors import RnnlmError
from rnnlm.models.classifier import Classifier
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.networks import fill, make_network, make_translation_network
from rnnlm.models.translator import Translator
from rnnlm.text.processor import TextSettings
from rnnlm.text.tokenizers import CHARACTERS
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.fine_tuning import copy_weights, explanation, with_architecture

OLD = ["UNK", "START", "END", "the", "cat", "sat"]
NEW = ["UNKNOWN_TOKEN", "SENTENCE_START", "SENTENCE_END", "dog", "sat", "the", "ran"]
PLACES = [(0, 0), (1, 1), (2, 2), (3, 5), (5, 4)]  # of a token before and after
NEW_WORDS = [3, 6]


def make_vocabulary(tokens: list[str], level: str = "word") -> Vocabulary:
    settings = TextSettings(tokenizer="whitespace" if level == "word" else CHARACTERS)
    return Vocabulary(tokens, [1] * len(tokens), settings)


def make_model(config: Config, tokens: list[str], level: str = "word") -> LanguageModel:
    return LanguageModel(make_network(config, len(tokens)), make_vocabulary(tokens, level), config)


def trained_model(**model: object) -> LanguageModel:
    return make_model(Config.model_validate({"model": {"hidden_size": 4, "bias": True, **model}}), OLD)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"embedding_size": 3},
        {"embedding_size": 4, "tie_weights": True},
        {"cell": "lstm", "num_layers": 2},
        {"cell": "time_delay", "width": 3, "nonlinearity": "linear"},
    ],
)
def test_each_token_keeps_its_weights_under_its_new_id(model: dict[str, object]) -> None:
    trained = trained_model(**model)
    asked = Config.model_validate({"model": {"hidden_size": 7}, "training": {"seed": 5}})
    config = with_architecture(asked, trained.config)
    assert config.training.seed == 5
    tuned, untouched = make_model(config, NEW), make_network(config, len(NEW))
    copied = copy_weights(trained, tuned)
    assert (copied.kept, copied.new, copied.left_out) == (5, 2, 1)

    by_token = {"embedding.weight", "output.weight", "output.bias"}
    for name, value in tuned.network.parameters.items():
        before, random = trained.network.parameters[name], untouched.parameters[name]
        if name == tuned.network.source.tensor and "embedding_size" not in model:
            value, before, random = (np.moveaxis(weight, 1, 0) for weight in (value, before, random))
        elif name not in by_token:
            np.testing.assert_array_equal(value, before)
            continue
        for old, new in PLACES:
            np.testing.assert_array_equal(value[new], before[old])
        np.testing.assert_array_equal(value[NEW_WORDS], random[NEW_WORDS])


@pytest.mark.parametrize(
    ("trained", "asked", "message"),
    [
        (
            {"softmax_cutoffs": [4]},
            {"softmax_samples": 3},
            "with the checkpoint's network, model: softmax_cutoffs and softmax_samples cannot be combined",
        ),
        ({}, {"embedding_size": 3, "freeze_embedding": True}, "with the checkpoint's network, model: freeze"),
        (
            {"embedding_size": 3},
            {"embedding_size": 3, "embedding_file": "glove.txt"},
            "the embeddings come from the checkpoint; leave model.embedding_file out",
        ),
    ],
)
def test_what_does_not_go_with_the_checkpoint_is_refused(
    trained: dict[str, object], asked: dict[str, object], message: str
) -> None:
    config = Config.model_validate({"model": asked})
    with pytest.raises(RnnlmError, match=f"^`init_from`: {message}"):
        with_architecture(config, trained_model(**trained).config)


def test_an_adaptive_softmax_keeps_its_vocabulary() -> None:
    trained = trained_model(softmax_cutoffs=[4])
    assert copy_weights(trained, make_model(trained.config, OLD)).kept == len(OLD)
    with pytest.raises(RnnlmError, match="cannot take on another vocabulary"):
        copy_weights(trained, make_model(trained.config, NEW))


def test_the_words_of_an_adaptive_softmax_go_to_another_task() -> None:
    trained = trained_model(embedding_size=4, softmax_cutoffs=[4])
    model = make_classifier({"a": 2, "b": 1}, NEW, embedding_size=4, hidden_size=4, bias=True)
    copied = copy_weights(trained, model)
    assert (copied.kept, copied.at_random) == (5, ["output.weight", "output.bias"])


def test_words_do_not_become_characters() -> None:
    trained = trained_model()
    characters = make_model(trained.config, [*NEW[:3], "a", "b", "c"], "char")
    with pytest.raises(RnnlmError, match=r"level word, the dataset's of level char; .*`vocab`"):
        copy_weights(trained, characters)


OTHER_VALUES = {
    "cell": "gru",
    "width": 3,
    "nonlinearity": "relu",
    "embedding_size": 7,
    "vocabulary_size": len(OLD),
    "embedding_file": "vectors.txt",
    "freeze_embedding": True,
    "character_size": 2,
    "hidden_size": 5,
    "num_layers": 3,
    "bidirectional": True,
    "bias": True,
    "residual": True,
    "dropout": 0.5,
    "variational_dropout": True,
    "recurrent_dropout": 0.5,
    "embedding_dropout": 0.5,
    "activation_regularization": 1.0,
    "temporal_activation_regularization": 1.0,
    "tie_weights": True,
    "softmax_samples": 2,
    "softmax_cutoffs": [4],
    "initializer": "glorot",
    "recurrent_initializer": "identity",
    "recurrent_scale": 2.0,
}


FOR_TAGGERS = ("bidirectional", "character_size")


@pytest.mark.parametrize("key", ModelConfig.model_fields)
def test_the_architecture_is_what_decides_on_the_weights_or_what_they_mean(key: str) -> None:
    basis = {"embedding_size": 4, "hidden_size": 4, "num_layers": 2}
    if key == "width":
        basis["cell"] = "time_delay"
    task = {"name": "tag" if key in FOR_TAGGERS else "language_model"}
    models = (basis, basis | {key: OTHER_VALUES[key]})
    configs = [Config.model_validate({"task": task, "model": model}) for model in models]
    network, other = (make_network(config, len(OLD), num_characters=3) for config in configs)
    shapes, others = ({name: value.shape for name, value in each.parameters.items()} for each in (network, other))
    is_same = shapes == others
    if is_same:
        fill(other, network.parameters, "", "")
        ids = np.arange(len(OLD))[:, None]
        found, expected = (each.log_probs(ids, each.initial_state(1))[0] for each in (other, network))
        is_same = np.allclose(found, expected)
    assert is_same == (key not in ModelConfig.architecture_keys)


def make_classifier(labels: dict[str, int], tokens: list[str], **model: object) -> Classifier:
    vocabulary = make_vocabulary(tokens).with_labels(labels)
    config = Config.model_validate({"task": {"name": "classify"}, "model": model, "training": {"seed": 7}})
    return Classifier(make_network(config, len(tokens), num_classes=len(labels)), vocabulary, config)


def test_a_classifier_begins_with_the_layers_of_a_language_model() -> None:
    trained = trained_model(cell="gru", embedding_size=3, num_layers=2)
    options = {"bidirectional": True, "embedding_size": 9, "dropout": 0.5}
    asked = Config.model_validate({"task": {"name": "classify"}, "model": options})
    with pytest.raises(RnnlmError, match="bidirectional needs an embedding_size"):
        with_architecture(asked, trained_model().config)
    config = with_architecture(asked, trained.config)
    assert (config.model.cell, config.model.num_layers, config.model.bidirectional) == ("gru", 2, True)
    model = make_classifier({"a": 2, "b": 1}, NEW, **config.model.set_values())
    untouched = {name: value.copy() for name, value in model.network.parameters.items()}
    copied = copy_weights(trained, model)
    assert (copied.kept, copied.new, copied.left_out) == (5, 2, 1)  # labels are not read
    for name, value in model.network.parameters.items():
        before = trained.network.parameters.get(name)
        if name == "embedding.weight":
            assert before is not None
            np.testing.assert_array_equal(value[[new for _, new in PLACES]], before[[old for old, _ in PLACES]])
            np.testing.assert_array_equal(value[NEW_WORDS], untouched[name][NEW_WORDS])
        elif name in copied.at_random:
            np.testing.assert_array_equal(value, untouched[name])
        else:
            np.testing.assert_array_equal(value, before)
    # The input of the second layer has the outputs of both directions.
    assert {"output.weight", "output.bias", "rnn.weight_ih_l1", "rnn.weight_hh_l0_reverse"} <= set(
        copied.at_random
    )
    assert "rnn.weight_ih_l0" not in copied.at_random
    assert "at random begin rnn.weight_ih_l0_reverse, " in str(copied)


def test_a_classifier_keeps_its_labels_under_their_new_ids() -> None:
    size = {"embedding_size": 3, "hidden_size": 4}
    trained = make_classifier({"a": 3, "b": 2, "c": 1}, OLD, **size)
    model = make_classifier({"c": 9, "d": 4, "a": 1}, NEW, **size)
    new = model.network.parameters["output.weight"][1].copy()
    copied = copy_weights(trained, model)
    assert copied.at_random == []
    before, after = (each.network.parameters["output.weight"] for each in (trained, model))
    np.testing.assert_array_equal(after, [before[2], new, before[0]])


def make_translator(config: Config, sources: list[str], targets: list[str]) -> Translator:
    network = make_translation_network(config, len(sources), len(targets))
    return Translator(network, make_vocabulary(targets), config, make_vocabulary(sources))


def translating(model: dict[str, object], seed: int = 0, **task: object) -> Config:
    sizes = {"embedding_size": 3, "hidden_size": 4, "bias": True}
    values = {"task": {"name": "translate", **task}, "model": sizes | model, "training": {"seed": seed}}
    return Config.model_validate(values)


def test_a_translator_keeps_the_tokens_of_both_sides() -> None:
    trained = make_translator(translating({"cell": "gru", "bidirectional": True}), OLD, [*OLD[:3], "le", "chat"])
    asked = translating({"hidden_size": 9}, seed=5, attention="additive")
    config = with_architecture(asked, trained.config)
    assert (config.model.cell, config.model.bidirectional, config.task.attention) == ("gru", True, "additive")
    model = make_translator(config, NEW, [*NEW[:3], "chat"])
    copied = copy_weights(trained, model)
    assert (copied.kept, copied.new, copied.left_out) == (5 + 4, 2, 1 + 1)
    assert {name.rpartition(".attention.")[0] for name in copied.at_random} == {"decoder"}
    before, after = trained.network.parameters, model.network.parameters
    old, new = ([pair[side] for pair in PLACES] for side in (0, 1))
    np.testing.assert_array_equal(after["encoder.embedding.weight"][new], before["encoder.embedding.weight"][old])
    for name in ("decoder.embedding.weight", "decoder.output.weight", "decoder.output.bias"):
        np.testing.assert_array_equal(after[name], before[name][[0, 1, 2, 4]])
    for name in ("encoder.rnn.weight_hh_l0_reverse", "decoder.rnn.weight_ih_l0"):
        np.testing.assert_array_equal(after[name], before[name])


def test_a_decoder_begins_with_a_language_model_and_gives_one_back() -> None:
    trained = trained_model(embedding_size=3)
    translator = make_translator(with_architecture(translating({}, seed=5), trained.config), OLD, NEW)
    copied = copy_weights(trained, translator)
    assert (copied.kept, copied.new, copied.left_out) == (5, 2 + len(OLD), 1)
    assert all(name.startswith("encoder.") for name in copied.at_random)
    before, after = trained.network.parameters, translator.network.parameters
    old, new = ([pair[side] for pair in PLACES] for side in (0, 1))
    for name in ("embedding.weight", "output.weight", "output.bias"):
        np.testing.assert_array_equal(after[f"decoder.{name}"][new], before[name][old])
    np.testing.assert_array_equal(after["decoder.rnn.weight_hh_l0"], before["rnn.weight_hh_l0"])

    back = make_model(Config.model_validate({"model": trained.config.model.set_values()}), NEW)
    assert copy_weights(translator, back).at_random == []
    for name, value in back.network.parameters.items():
        np.testing.assert_array_equal(value, after[f"decoder.{name}"])
    classifier = make_classifier({"a": 2, "b": 1}, NEW, embedding_size=3, hidden_size=4, bias=True)
    assert copy_weights(translator, classifier).at_random == ["output.weight", "output.bias"]


def test_neither_side_of_a_translator_changes_its_level() -> None:
    config = translating({})
    trained, model = (make_translator(config, OLD, NEW) for _ in range(2))
    model.source_vocabulary = make_vocabulary([*NEW[:3], "a", "b"], "char")
    with pytest.raises(RnnlmError, match=r"level word, the dataset's of level char"):
        copy_weights(trained, model)


def test_what_the_checkpoint_has_no_second_direction_of_is_said() -> None:
    said = explanation(translating({"bidirectional": True}), translating({}).model_copy())
    assert "bidirectional false (not the configuration's true)" in said
    assert "bidirectional" not in explanation(translating({}), translating({})).splitlines()[0]
