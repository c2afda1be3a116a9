import pytest

from rnnlm.config import Config
from rnnlm.tuning.space import changed, given, space

CONFIG = Config.checked(
    {
        "model": {"cell": "lstm", "embedding_size": 64, "hidden_size": 64, "tie_weights": True, "dropout": 0.15},
        "training": {"batching": "stream", "batch_size": 3, "bptt_steps": 20},
        "optimizer": {"learning_rate": 0.3},
    }
)


def test_what_the_configuration_has_is_in_the_middle() -> None:
    found = space(CONFIG, keeps_network=False)
    assert given(CONFIG, found) == {
        "optimizer.learning_rate": 0.3,
        "model.dropout": 0.15,
        "training.batch_size": 3,
        "training.bptt_steps": 20,
        "model.hidden_size": 64,
    }
    assert found["optimizer.learning_rate"] == pytest.approx([0.3 * 2 ** (k / 2) for k in range(-4, 5)])
    assert found["model.dropout"] == [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45]
    assert found["training.batch_size"] == [1, 3, 6, 12]
    assert found["training.bptt_steps"] == [10, 20, 40]
    assert found["model.hidden_size"] == [32, 48, 64, 88, 128]
    for key, values in found.items():
        assert given(CONFIG, [key])[key] in values
        assert values == sorted(set(values))


def test_what_makes_no_difference_or_is_given_is_not_tried() -> None:
    config = Config.checked({"model": {"hidden_size": 1, "dropout": 0.95}, "training": {"batch_size": 1}})
    found = space(config, keeps_network=True)
    assert set(found) == {"optimizer.learning_rate", "model.dropout", "training.batch_size"}
    assert found["training.batch_size"] == [1, 2, 4]
    assert max(found["model.dropout"]) == 0.95
    assert space(config, keeps_network=False)["model.hidden_size"] == [1, 2]


def test_larger_steps_are_no_more_training() -> None:
    config = Config.checked({"training": {"batching": "stream", "batch_size": 8, "max_steps": 100}})
    assert set(space(config, keeps_network=True)) == {"optimizer.learning_rate", "model.dropout"}


def test_vectors_that_are_tied_and_given_keep_their_size() -> None:
    model = {"embedding_size": 100, "hidden_size": 100, "tie_weights": True, "embedding_file": "vectors.txt"}
    assert "model.hidden_size" not in space(Config.checked({"model": model}), keeps_network=False)


def test_tied_embeddings_are_as_large_as_the_layers() -> None:
    config = changed(CONFIG, {"model.hidden_size": 88, "training.bptt_steps": 7})
    assert (config.model.hidden_size, config.model.embedding_size, config.training.bptt_steps) == (88, 88, 7)
    assert (config.optimizer, config.schedule) == (CONFIG.optimizer, CONFIG.schedule)


def test_sizes_that_a_network_cannot_have_are_not_tried() -> None:
    config = Config.checked(
        {
            "model": {"embedding_size": 8, "hidden_size": 16, "softmax_cutoffs": [4, 7]},
            "training": {"batch_size": 8},
        }
    )
    for key, values in space(config, keeps_network=False).items():
        for value in values:
            changed(config, {key: value})
