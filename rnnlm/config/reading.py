"""The configuration: YAML in, checked values out."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError, model_validator

from rnnlm.config.schema import (
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ScheduleConfig,
    Section,
    TaskConfig,
    TrainingConfig,
)
from rnnlm.errors import RnnlmError, shown
from rnnlm.files import NOT_YAML, parse_yaml, read_text


class Config(Section):
    """Everything that `rnnlm train` can be told."""

    later_keys = ("task",)

    task: TaskConfig = TaskConfig()
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()

    @model_validator(mode="after")
    def _parts_fit_the_task(self) -> "Config":
        task = self.task.name
        if self.model.cell == "time_delay" and self.training.bptt_truncate is not None:
            raise ValueError(
                "training.bptt_truncate: time_delay does not recur, so an error goes back no farther than "
                "model.width reaches; leave it out"
            )
        if task == "language_model":
            for key, reason in NOT_FOR_LANGUAGE_MODELS.items():
                if getattr(self.model, key):
                    raise ValueError(f"model.{key}: {reason}; leave it out, or set task.name")
            return self
        if task == "forecast":
            self._refuse_what_is_for_text()
            return self
        if self.training.batching == "stream":
            raise ValueError(f"training.batching: {task} begins every text anew; leave stream out")
        if self.training.bptt_truncate is not None:
            raise ValueError(f"training.bptt_truncate: {task} learns from whole texts; leave it out")
        if task != "tag" and self.model.character_size is not None:
            raise ValueError(f"model.character_size: is for tag, not for {task}; leave it out")
        if task == "translate":
            self._refuse_what_is_for_one_text()
            return self
        for key in ("tie_weights", "softmax_samples", "softmax_cutoffs"):
            if getattr(self.model, key):
                raise ValueError(f"model.{key}: is for outputs over the vocabulary, not for {task}; leave it out")
        return self

    def _refuse_what_is_for_one_text(self) -> None:
        """Refuse what a network that reads two languages cannot have."""
        for key in ("embedding_file", "freeze_embedding"):
            if getattr(self.model, key):
                raise ValueError(f"model.{key}: a translator has vectors of two languages; leave it out")
        if self.model.cell == "time_delay" and self.model.embedding_size is None:
            raise ValueError(
                "model.embedding_size: a decoder of time_delay goes on from the encoder's last inputs, and one-hot"
                " ones are of another vocabulary; give a size"
            )
        if self.model.cell == "time_delay" and self.model.bidirectional:
            raise ValueError(
                "model.bidirectional: a decoder of time_delay goes on from the encoder's last inputs, which are"
                " not those of two directions; leave it out"
            )

    def _refuse_what_is_for_text(self) -> None:
        """Refuse what a network that reads numbers, one step after another, cannot have."""
        for key in NOT_FOR_NUMBERS:
            if getattr(self.model, key) != ModelConfig.model_fields[key].default:
                raise ValueError(f"model.{key}: is not for a network that reads numbers; leave it out")
        if self.training.bptt_truncate is not None:
            raise ValueError("training.bptt_truncate: forecast learns from whole windows; leave it out")
        if self.task.fit == "least_squares":
            for key, value in AR_MODEL.items():
                if getattr(self.model, key) != value:
                    raise ValueError(
                        f"task.fit: least squares are for the AR model, whose model.{key} is {value}, not "
                        f"{getattr(self.model, key)}; set that, or leave fit out"
                    )

    @classmethod
    def load(cls, path: str | Path | None, overrides: tuple[str, ...] = ()) -> "Config":
        """Read and check a YAML file.

        Parameters
        ----------
        path
            The file; None begins with the defaults.
        overrides
            ``section.key=value`` texts that replace what the file says, the value in YAML.

        Raises
        ------
        RnnlmError
            The file cannot be read, or a key or value in it or in `overrides` is not right.
        """
        try:
            raw = None if path is None else parse_yaml(read_text(Path(path)))
        except OSError as error:
            raise RnnlmError(f"{path}: cannot read the configuration ({error.strerror}).") from error
        except NOT_YAML as error:
            raise RnnlmError(f"{path}: not valid YAML: {_yaml_problem(error)}.") from error
        raw = {} if raw is None else raw
        if not isinstance(raw, dict):
            raise RnnlmError(f"{path}: expected sections such as 'model:' and 'training:', not {shown(raw)}.")
        source = "`overrides`" if path is None else f"{path} with `overrides`" if overrides else str(path)
        return cls.checked(raw, overrides, source)

    @classmethod
    def checked(
        cls, raw: Mapping[Any, Any], overrides: tuple[str, ...] = (), source: str = "`overrides`"
    ) -> "Config":
        """Check values by section and key, changed by `overrides` as for `load`; errors name the `source`."""
        # A section with nothing under it is read as null; it means the defaults.
        raw = {key: {} if value is None else value for key, value in raw.items()}
        for override in overrides:
            _apply(override, raw)
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise RnnlmError(f"{source}: {_explain(error)}") from error

    def with_model(self, **changes: object) -> "Config":
        """Return the configuration with other values in its model section.

        Raises
        ------
        RnnlmError
            If they do not go together with the rest of the section.
        """
        try:
            checked = Config.model_validate({**self.model_dump(), "model": {**self.model.model_dump(), **changes}})
        except ValidationError as error:
            raise RnnlmError(_explain(error)) from error
        return self.model_copy(update={"model": checked.model})

    def values(self) -> dict[str, dict[str, Any]]:
        """Return the values by section and key, those of `later_keys` only where they are not the default."""
        return {name: getattr(self, name).set_values() for name in self.set_values()}

    def to_yaml(self) -> str:
        """Return the `values` as YAML."""
        text: str = yaml.safe_dump(self.values(), sort_keys=False)
        return text


NOT_FOR_LANGUAGE_MODELS = {
    "bidirectional": "a language model cannot read the words that it is to predict",
    "character_size": "is for tag, not for a language model",
}


NOT_FOR_NUMBERS = (
    "embedding_size",
    "vocabulary_size",
    "embedding_file",
    "freeze_embedding",
    "character_size",
    "bidirectional",
    "embedding_dropout",
    "tie_weights",
    "softmax_samples",
    "softmax_cutoffs",
)

AR_MODEL = {
    "cell": "time_delay",
    "nonlinearity": "linear",
    "hidden_size": 1,
    "num_layers": 1,
    "bias": True,
    "residual": False,
}
"""What the autoregressive model is as a network."""


SECTIONS: dict[str, type[Section]] = {name: type(field.default) for name, field in Config.model_fields.items()}
"""The sections by their names."""


def _yaml_problem(error: Exception) -> str:
    """Say where the text stops being YAML, and why."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


def _apply(override: str, raw: dict[Any, Any]) -> None:
    """Put ``section.key=value`` into the raw configuration."""
    key, equals, value = override.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        having = [name for name, model in SECTIONS.items() if section in model.model_fields]
        example = f"{having[0]}.{override}" if having and equals else "model.hidden_size=200"
        raise RnnlmError(f"`overrides={override}`: expected section.key=value, such as {example}.")
    try:
        parsed = parse_yaml(value)
    except NOT_YAML as error:
        raise RnnlmError(f"`overrides={override}`: the value is not valid YAML.") from error
    target = raw.setdefault(section, {})
    if not isinstance(target, dict):
        raise RnnlmError(f"`overrides={override}`: the file gives '{section}' a value instead of keys.")
    target[name] = parsed


def _explain(error: ValidationError) -> str:
    """Say in one sentence what is wrong with the first bad key."""
    first = error.errors()[0]
    location = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key '{location}'; {_advice(location)}"
    if first["type"] == "value_error":
        problem = f"{first['ctx']['error']}."
        return f"{location}: {problem}" if location else problem
    message = first["msg"].removeprefix("Input ").replace("should be", "must be")
    if first["type"] != "literal_error":
        # What pydantic adds after a comma is about how it tried to read the value.
        message = message.partition(", ")[0]
    return f"{location}: {message}, not {shown(first['input'])}."


def _advice(location: str) -> str:
    """Name the key that an unknown one is nearest to: in its section first, then anywhere."""
    section, _, key = location.rpartition(".")
    siblings = list(SECTIONS[section].model_fields) if section else list(SECTIONS)
    elsewhere = {name: f"{other}.{name}" for other, model in SECTIONS.items() for name in model.model_fields}
    for candidates in ({name: f"{section}.{name}".lstrip(".") for name in siblings}, elsewhere):
        nearest = difflib.get_close_matches(key, candidates, n=1, cutoff=0.6)
        if nearest:
            return f"did you mean '{candidates[nearest[0]]}'?"
    return f"known keys: {', '.join(siblings)}."
