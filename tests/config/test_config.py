from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnnlm.config import SECTIONS, Config
from rnnlm.errors import RnnlmError


def load(directory: Path, text: str, *overrides: str) -> Config:
    path = directory / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return Config.load(path, overrides)


def complaint(directory: Path, text: str, *overrides: str) -> str:
    """Return what is said about a bad configuration, without the name of its directory."""
    with pytest.raises(RnnlmError) as caught:
        load(directory, text, *overrides)
    return str(caught.value).removeprefix(f"{directory}/")


def test_the_defaults_are_the_documented_ones():
    assert Config().model_dump() == {
        "task": {
            **{"name": "language_model", "pooling": "max"},
            **{"fit": "gradient", "log": False, "differences": [], "calendar": []},
            **{"attention": "none", "reverse_source": False},
        },
        "data": {"path": None},
        "model": {
            "cell": "rnn",
            "width": 1,
            "nonlinearity": "tanh",
            "embedding_size": None,
            "vocabulary_size": None,
            "embedding_file": None,
            "freeze_embedding": False,
            "character_size": None,
            "hidden_size": 100,
            "num_layers": 1,
            "bidirectional": False,
            "bias": False,
            "residual": False,
            "dropout": 0.0,
            "variational_dropout": False,
            "recurrent_dropout": 0.0,
            "embedding_dropout": 0.0,
            "activation_regularization": 0.0,
            "temporal_activation_regularization": 0.0,
            "tie_weights": False,
            "softmax_samples": None,
            "softmax_cutoffs": None,
            "initializer": "uniform",
            "recurrent_initializer": "uniform",
            "recurrent_scale": 1.0,
        },
        "training": {
            "batching": "sentences",
            "batch_size": 1,
            "bptt_steps": 35,
            "bptt_truncate": None,
            "epochs": 10,
            "max_steps": None,
            "max_seconds": None,
            "evaluate_every": None,
            "checkpoint_every": None,
            "log_every": 100,
            "sample_tokens": 50,
            "patience": None,
            "seed": 0,
            "threads": None,
            "dtype": "float32",
            "backend": "auto",
        },
        "optimizer": {
            "name": "sgd",
            "learning_rate": 0.005,
            "clip_norm": None,
            "clip_value": None,
            "weight_decay": 0.0,
            "momentum": 0.0,
            "nesterov": False,
        },
        "schedule": {"name": "halve_on_plateau", "first_epochs": 4, "factor": 0.5, "warmup": 0.0},
    }


def test_every_key_says_what_it_is_for():
    for section in SECTIONS.values():
        for name, field in section.model_fields.items():
            assert field.description, name


@pytest.mark.parametrize("text", ["", "model:\n", "{}", "model: {}\ntraining:\n"])
def test_sections_may_be_left_out_or_empty(tmp_path: Path, text: str):
    assert load(tmp_path, text) == Config()


def test_values_are_read_and_the_rest_stays(tmp_path: Path):
    config = load(tmp_path, "model: {hidden_size: 7}\noptimizer: {learning_rate: 1e-3}")
    assert config.model.hidden_size == 7
    assert config.optimizer.learning_rate == 0.001  # which YAML alone takes for text
    assert config.model.num_layers == 1


def test_values_do_not_change_after_checking():
    with pytest.raises(ValueError, match="frozen"):
        Config().model.hidden_size = 3


def test_set_replaces_what_the_file_says(tmp_path: Path):
    text = "model: {hidden_size: 7, bias: true}\nschedule:\n"
    overrides = (
        "model.hidden_size=8",
        "model.embedding_size=8",
        "model.tie_weights=true",
        "optimizer.clip_norm=null",
        "schedule.name=linear",
        " training.seed = 5",
        "data.path=a=b",
        "model.hidden_size=9",
        "model.embedding_size=9",
    )
    config = load(tmp_path, text, *overrides)
    assert config.model.hidden_size == config.model.embedding_size == 9
    assert config.model.bias
    assert config.model.tie_weights
    assert config.optimizer.clip_norm is None
    assert config.schedule.name == "linear"
    assert config.training.seed == 5
    assert config.data.path == "a=b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle: {}", "c.yaml: unknown key 'modle'; did you mean 'model'?"),
        ("hidden_size: 5", "c.yaml: unknown key 'hidden_size'; did you mean 'model.hidden_size'?"),
        ("model: {epoch: 5}", "c.yaml: unknown key 'model.epoch'; did you mean 'training.epochs'?"),
        ("model: {hidden_size: true}", "c.yaml: model.hidden_size: must not be true."),
        ("model: {hiden_size: 5}", "c.yaml: unknown key 'model.hiden_size'; did you mean 'model.hidden_size'?"),
        ("optimizer: {lr: 5}", "c.yaml: unknown key 'optimizer.lr'; known keys: name, learning_rate, clip_norm"),
        ("training: {step: 5}", "c.yaml: unknown key 'training.step'; did you mean 'training."),
        ("model: {hidden_size: big}", "c.yaml: model.hidden_size: must be a valid integer"),
        ("model: {hidden_size: 0}", "c.yaml: model.hidden_size: must be greater than or equal to 1, not 0."),
        ("model: {hidden_size: null}", "c.yaml: model.hidden_size: must be a valid integer, not null."),
        ("model: {dropout: 1}", "c.yaml: model.dropout: must be less than 1, not 1."),
        ("model: {cell: gur}", "c.yaml: model.cell: must be 'rnn', 'gru', 'lstm', "),
        ("model: {bias: maybe}", "c.yaml: model.bias: must be a valid boolean"),
        (
            "training: {batching: words}",
            "c.yaml: training.batching: must be 'sentences' or 'stream', not 'words'.",
        ),
        ("optimizer: {learning_rate: -1}", "c.yaml: optimizer.learning_rate: must be greater than 0, not -1."),
        ("optimizer: {learning_rate: .nan}", "c.yaml: optimizer.learning_rate: must be a finite number, not nan."),
        ("model: [1]", "c.yaml: model: "),
        ("model: {1: 2}", "c.yaml: model.1: "),
        ("5: {}", "c.yaml: 5: "),
        (
            "model: {tie_weights: true, hidden_size: 5}",
            "c.yaml: model: tie_weights needs embedding_size equal to hidden_size (5), not null; ",
        ),
        (
            "model: {tie_weights: true, hidden_size: 5, embedding_size: 4}",
            "c.yaml: model: tie_weights needs embedding_size equal to hidden_size (5), not 4; ",
        ),
        (
            "model: {hidden_size: 5, hidden_size: 6}",
            "c.yaml: not valid YAML: line 1: 'hidden_size' appears twice.",
        ),
        ("model: !!map [a]", "c.yaml: not valid YAML: line 1: expected a mapping node, but found sequence."),
        ("model: {}\ndata: {}\nmodel: {}", "c.yaml: not valid YAML: line 3: 'model' appears twice."),
        (
            "model: {cell: lstm, nonlinearity: relu}",
            "c.yaml: model: nonlinearity is for the cells rnn and time_delay only, not for lstm; leave it out.",
        ),
        (
            "model: {nonlinearity: linear}",
            "c.yaml: model: nonlinearity linear is for the cell time_delay only; choose tanh or relu.",
        ),
        (
            "model: {cell: gru, width: 2}",
            "c.yaml: model: width is for the cell time_delay only, not for gru; leave it out.",
        ),
        (
            "model: {cell: time_delay, recurrent_dropout: 0.5}",
            "c.yaml: model: recurrent_dropout is for cells that recur, not for time_delay; leave it out.",
        ),
        (
            "model: {softmax_cutoffs: [9, 5]}",
            "c.yaml: model: softmax_cutoffs must rise from at least 1, not [9, 5].",
        ),
        ("model: {softmax_cutoffs: [0]}", "c.yaml: model: softmax_cutoffs must rise from at least 1, not [0]."),
        (
            "model: {softmax_cutoffs: [9], softmax_samples: 50}",
            "c.yaml: model: softmax_cutoffs and softmax_samples cannot be combined; ",
        ),
        ("- a", "c.yaml: expected sections such as 'model:' and 'training:', not ['a']."),
        ("model: {", "c.yaml: not valid YAML: "),
        pytest.param("[" * 600, "c.yaml: not valid YAML: ", id="deep"),
        ("data: {path: 2024-13-45}", "c.yaml: not valid YAML: month must be in 1..12"),
        ("!!python/object/apply:os.system [echo]", "c.yaml: not valid YAML: "),
    ],
)
def test_bad_values_are_named_with_file_and_key(tmp_path: Path, text: str, message: str):
    said = complaint(tmp_path, text)
    assert said.startswith(message)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("hidden_size=5", "`overrides=hidden_size=5`: expected section.key=value, such as model.hidden_size=5."),
        ("model.hidden_size", "`overrides=model.hidden_size`: expected section.key=value"),
        (".a=1", "`overrides=.a=1`: expected section.key=value"),
        ("model.=1", "`overrides=model.=1`: expected section.key=value"),
        ("model.bias=[", "`overrides=model.bias=[`: the value is not valid YAML."),
        (
            "model.hiden_size=5",
            "c.yaml with `overrides`: unknown key 'model.hiden_size'; did you mean 'model.hidden_size'?",
        ),
        ("modle.bias=1", "c.yaml with `overrides`: unknown key 'modle'; did you mean 'model'?"),
        ("model.hidden_size=big", "c.yaml with `overrides`: model.hidden_size: must be a valid integer"),
        ("data.path=2024-13-45", "`overrides=data.path=2024-13-45`: the value is not valid YAML."),
    ],
)
def test_a_bad_set_is_named(tmp_path: Path, override: str, message: str):
    assert complaint(tmp_path, "", override).startswith(message)


def test_set_does_not_mend_a_section_that_is_none(tmp_path: Path):
    said = complaint(tmp_path, "model: 5", "model.bias=true")
    assert said == "`overrides=model.bias=true`: the file gives 'model' a value instead of keys."


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(RnnlmError, match=r"none\.yaml: cannot read the configuration \(No such file"):
        Config.load(tmp_path / "none.yaml")
    with pytest.raises(RnnlmError, match=r"cannot read the configuration \(Is a directory"):
        Config.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"data: {path: caf\xe9}")
    with pytest.raises(RnnlmError, match=r"latin\.yaml: not valid YAML"):
        Config.load(tmp_path / "latin.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(max_size=40), override=st.text(max_size=20))
@example(text="model: {bias: 0b_}", override="true")
@example(text="data: {path: 2024-13-45}", override="0b_")
def test_whatever_is_given_nothing_but_a_clear_error_comes(tmp_path: Path, text: str, override: str):
    path = tmp_path / "c.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for overrides in ((), (f"model.bias={override}",)):
        with suppress(RnnlmError):
            Config.load(path, overrides)


@given(
    hidden_size=st.integers(1, 1000),
    dropout=st.floats(0, 1, exclude_max=True),
    truncate=st.none() | st.integers(0, 50),
    learning_rate=st.floats(1e-9, 1e3),
    path=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_saved_and_loaded_it_is_the_same(
    tmp_path: Path,
    hidden_size: int,
    dropout: float,
    truncate: int | None,
    learning_rate: float,
    path: str | None,
):
    values = {
        "data": {"path": path},
        "model": {"hidden_size": hidden_size, "dropout": dropout},
        "training": {"bptt_truncate": truncate},
        "optimizer": {"learning_rate": learning_rate},
    }
    config = Config.model_validate(values)
    (tmp_path / "saved.yaml").write_text(config.to_yaml())
    assert Config.load(tmp_path / "saved.yaml") == config


LATER_KEYS = {
    "task": {"name": "tag"},
    "model": {
        **{"cell": "time_delay", "width": 3, "bidirectional": True, "character_size": 5, "embedding_size": 4},
    },
    "training": {"backend": "numpy"},
}


def test_a_saved_configuration_holds_every_key_but_later_ones_with_their_default(tmp_path: Path):
    saved = yaml.safe_load(Config().to_yaml())
    expected = Config().model_dump()
    del expected["task"], expected["model"]["width"], expected["training"]["backend"]
    del expected["model"]["bidirectional"], expected["model"]["character_size"]
    assert saved == expected
    (tmp_path / "saved.yaml").write_text(Config.model_validate(LATER_KEYS).to_yaml())
    assert Config.load(tmp_path / "saved.yaml") == Config.model_validate(LATER_KEYS)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (
            {"model": {"bidirectional": True, "embedding_size": 4}},
            "model.bidirectional: a language model cannot read the words that it is to predict; "
            "leave it out, or set task.name.",
        ),
        ({"model": {"bidirectional": True}}, "model: bidirectional needs an embedding_size, not null."),
        (
            {"model": {"cell": "time_delay", "width": 3}, "training": {"bptt_truncate": 4}},
            "training.bptt_truncate: time_delay does not recur, so an error goes back no farther than model.width "
            "reaches; leave it out.",
        ),
        (
            {
                "task": {"name": "translate"},
                "model": {"cell": "time_delay", "width": 3, "bidirectional": True, "embedding_size": 4},
            },
            "model.bidirectional: a decoder of time_delay goes on from the encoder's last inputs, which are not "
            "those of two directions; leave it out.",
        ),
        (
            {"task": {"name": "classify"}, "training": {"batching": "stream"}},
            "training.batching: classify begins every text anew; leave stream out.",
        ),
        (
            {"task": {"name": "tag"}, "training": {"bptt_truncate": 4}},
            "training.bptt_truncate: tag learns from whole texts; leave it out.",
        ),
        (
            {"task": {"name": "tag"}, "model": {"softmax_samples": 4}},
            "model.softmax_samples: is for outputs over the vocabulary, not for tag; leave it out.",
        ),
        (
            {"task": {"name": "classify"}, "model": {"embedding_size": 4, "character_size": 4}},
            "model.character_size: is for tag, not for classify; leave it out.",
        ),
        (
            {"task": {"name": "translate"}, "training": {"batching": "stream"}},
            "training.batching: translate begins every text anew; leave stream out.",
        ),
        (
            {"task": {"name": "translate"}, "training": {"bptt_truncate": 4}},
            "training.bptt_truncate: translate learns from whole texts; leave it out.",
        ),
        (
            {"task": {"name": "translate"}, "model": {"embedding_size": 4, "character_size": 4}},
            "model.character_size: is for tag, not for translate; leave it out.",
        ),
        (
            {"task": {"name": "translate"}, "model": {"embedding_size": 4, "embedding_file": "vectors.txt"}},
            "model.embedding_file: a translator has vectors of two languages; leave it out.",
        ),
        (
            {"task": {"name": "translate"}, "model": {"cell": "time_delay", "width": 3}},
            "model.embedding_size: a decoder of time_delay goes on from the encoder's last inputs, and one-hot "
            "ones are of another vocabulary; give a size.",
        ),
        (
            {"task": {"name": "classify", "attention": "additive"}},
            "task: attention is for translate only, not for classify; leave it out.",
        ),
        (
            {"task": {"name": "tag", "pooling": "last"}},
            "task: pooling is for classify only, not for tag; leave it out.",
        ),
    ],
)
def test_what_does_not_fit_the_task_is_refused(tmp_path: Path, raw: dict[str, object], problem: str):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(raw))
    with pytest.raises(RnnlmError) as raised:
        Config.load(tmp_path / "c.yaml")
    assert str(raised.value) == f"{tmp_path / 'c.yaml'}: {problem}"


def test_the_configurations_that_come_with_the_program_are_valid():
    configurations = sorted(Path(__file__, "../../../configs").resolve().rglob("*.yaml"))
    assert "sample-word.yaml" in [path.name for path in configurations]
    for path in configurations:
        Config.load(path)
