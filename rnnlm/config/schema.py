"""The keys of the configuration: their types, ranges, defaults and meanings."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

LARGEST_NUMBER = 2**63 - 1
"""What fits in 64 bits."""

LARGEST_SIZE = 1_000_000
"""No computer has room for a layer, a batch or a window of more."""


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change after checking."""

    later_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that came after files had been written: these are left out of a file while they have their default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def set_values(self) -> dict[str, Any]:
        """Return the values, those of `later_keys` only where they are not the default."""
        defaults = type(self).model_fields
        return {
            name: value
            for name, value in self.model_dump().items()
            if name not in self.later_keys or getattr(self, name) != defaults[name].default
        }

    @field_validator("*", mode="before")
    @classmethod
    def _is_a_number_of_use(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError(f"must not be {str(value).lower()}")
        if isinstance(value, int) and value > LARGEST_NUMBER:
            raise ValueError(f"must be at most {LARGEST_NUMBER}")
        return value


class DataConfig(Section):
    """Where the dataset is."""

    path: str | None = Field(None, description="Dataset directory; `--data` on the command line overrides it.")


class ModelConfig(Section):
    """The network. The defaults are the published tutorial's."""

    later_keys = ("width", "bidirectional", "character_size")
    architecture_keys: ClassVar = (
        "cell",
        "width",
        "nonlinearity",
        "embedding_size",
        "character_size",
        "hidden_size",
        "num_layers",
        "bidirectional",
        "bias",
        "residual",
        "tie_weights",
        "softmax_cutoffs",
    )
    """The keys that say which weights there are, and what a trained network computes with them."""

    layer_keys: ClassVar = (
        "cell",
        "width",
        "nonlinearity",
        "embedding_size",
        "hidden_size",
        "num_layers",
        "bias",
        "residual",
    )
    """Those of them that networks of several tasks have in common."""

    cell: Literal["rnn", "gru", "lstm", "lstm_peephole", "lstm_coupled", "lstm_no_forget", "time_delay"] = Field(
        "rnn",
        description="Cell of each layer: `rnn` is the vanilla one; `time_delay` does not recur, but sees its last "
        "inputs.",
    )
    width: int = Field(1, ge=1, le=1000, description="Inputs that `time_delay` sees, the present one among them.")
    nonlinearity: Literal["tanh", "relu", "linear"] = Field(
        "tanh", description="Activation of the cells `rnn` and `time_delay`; `linear` is for `time_delay`."
    )
    embedding_size: int | None = Field(
        None,
        ge=1,
        le=LARGEST_SIZE,
        description="Size of the trained vectors that stand for tokens; null is one-hot input.",
    )
    vocabulary_size: int | None = Field(
        None, ge=4, le=LARGEST_SIZE, description="Tokens; null is the size of the dataset's vocabulary."
    )
    embedding_file: str | None = Field(
        None, description="GloVe or word2vec text file with the vectors that words begin with."
    )
    freeze_embedding: bool = Field(False, description="Leave the vectors as they begin.")
    character_size: int | None = Field(
        None,
        ge=1,
        le=LARGEST_SIZE,
        description="Units, in each direction, of a bidirectional layer that reads the characters of every word, "
        "beside the vector of the word; null is none. For `tag`.",
    )
    hidden_size: int = Field(100, ge=1, le=LARGEST_SIZE, description="Units of each layer.")
    num_layers: int = Field(1, ge=1, le=100, description="Layers in the stack.")
    bidirectional: bool = Field(
        False,
        description="Let a second layer read the text backwards beside each one. For `classify`, `tag`, and the "
        "source of `translate`.",
    )
    bias: bool = Field(False, description="Biases in the layers and the output.")
    residual: bool = Field(False, description="Add a layer's input to its output, where their sizes agree.")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Probability of dropping a feature after the embedding and each layer."
    )
    variational_dropout: bool = Field(False, description="Keep one dropout mask for all steps of a window.")
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="Probability of dropping a recurrent weight for a window (DropConnect)."
    )
    embedding_dropout: float = Field(
        0.0, ge=0, lt=1, description="Probability of dropping a word wherever it stands in a window."
    )
    activation_regularization: float = Field(
        0.0, ge=0, description="Weight of the penalty on large activations of the last layer."
    )
    temporal_activation_regularization: float = Field(
        0.0, ge=0, description="Weight of the penalty on changes of these from step to step."
    )
    tie_weights: bool = Field(
        False, description="Use the embedding as output weights; needs embedding_size = hidden_size."
    )
    softmax_samples: int | None = Field(
        None,
        ge=2,
        description="Words that a training step's softmax is estimated from, half of them the most frequent, half "
        "drawn anew; null sums over the whole vocabulary, as evaluation always does.",
    )
    softmax_cutoffs: list[int] | None = Field(
        None,
        min_length=1,
        description="First ids of the clusters of rarer words in an adaptive softmax, such as `[2000, 10000]`; "
        "null is one softmax over all words.",
    )
    initializer: Literal["uniform", "glorot", "orthogonal"] = Field(
        "uniform", description="How input and output weights start; `uniform` is ±1/√n, n connections in."
    )
    recurrent_initializer: Literal["uniform", "glorot", "orthogonal", "identity"] = Field(
        "uniform", description="How recurrent weights start."
    )
    recurrent_scale: float = Field(1.0, gt=0, description="Factor on the initial recurrent weights.")

    @property
    def cell_with_width(self) -> str:
        """The name of the cell, for people: of `time_delay` with the width."""
        return f"{self.cell} of width {self.width}" if self.cell == "time_delay" else self.cell

    @model_validator(mode="after")
    def _keys_fit_the_cell(self) -> "ModelConfig":
        delays = self.cell == "time_delay"
        if self.nonlinearity != "tanh" and self.cell not in ("rnn", "time_delay"):
            raise ValueError(
                f"nonlinearity is for the cells rnn and time_delay only, not for {self.cell}; leave it out"
            )
        if self.nonlinearity == "linear" and not delays:
            raise ValueError("nonlinearity linear is for the cell time_delay only; choose tanh or relu")
        if self.width != 1 and not delays:
            raise ValueError(f"width is for the cell time_delay only, not for {self.cell}; leave it out")
        for key in ("recurrent_dropout", "recurrent_initializer", "recurrent_scale"):
            if delays and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is for cells that recur, not for time_delay; leave it out")
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> "ModelConfig":
        if self.embedding_size is None and (self.embedding_file is not None or self.freeze_embedding):
            key = "freeze_embedding" if self.embedding_file is None else "embedding_file"
            raise ValueError(f"{key} needs an embedding_size, not null")
        if self.tie_weights and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"tie_weights needs embedding_size equal to hidden_size ({self.hidden_size}), "
                f"not {self.embedding_size if self.embedding_size is not None else 'null'}; change both, or "
                "turn tie_weights off"
            )
        return self

    @model_validator(mode="after")
    def _parts_have_vectors(self) -> "ModelConfig":
        for key in ("bidirectional", "character_size"):
            if getattr(self, key) and self.embedding_size is None:
                raise ValueError(f"{key} needs an embedding_size, not null")
        return self

    @model_validator(mode="after")
    def _cutoffs_fit(self) -> "ModelConfig":
        cutoffs = self.softmax_cutoffs
        if cutoffs is None:
            return self
        if any(first >= second for first, second in zip([0, *cutoffs], cutoffs, strict=False)):
            raise ValueError(f"softmax_cutoffs must rise from at least 1, not {cutoffs}")
        for key in ("tie_weights", "softmax_samples"):
            if getattr(self, key):
                raise ValueError(f"softmax_cutoffs and {key} cannot be combined; leave one of them out")
        return self


class TrainingConfig(Section):
    """The training loop."""

    later_keys = ("backend",)

    batching: Literal["sentences", "stream"] = Field(
        "sentences",
        description="`sentences`: each begins from the zero state; `stream`: the state is carried along the text, "
        "as `forecast` always does.",
    )
    batch_size: int = Field(1, ge=1, le=LARGEST_SIZE, description="Sentences, or streams side by side, in a step.")
    bptt_steps: int = Field(35, ge=1, le=LARGEST_SIZE, description="Time steps in a window of a stream.")
    bptt_truncate: int | None = Field(
        None, ge=0, description="Most time steps that an output's error goes back; null is the whole window."
    )
    epochs: int = Field(10, ge=1, description="Passes over the training split, at most.")
    max_steps: int | None = Field(
        None, ge=0, description="Training steps, at most; 0 writes a checkpoint of the untrained network."
    )
    max_seconds: float | None = Field(
        None, gt=0, description="Seconds of training, at most; evaluation and checkpoints are not counted."
    )
    evaluate_every: int | None = Field(
        None, ge=1, description="Steps between evaluations on the validation split; null is once an epoch."
    )
    checkpoint_every: int | None = Field(
        None, ge=1, description="Steps between checkpoints, beside one after every evaluation; null is none."
    )
    log_every: int = Field(100, ge=1, description="Steps between lines on training in metrics.jsonl.")
    sample_tokens: int = Field(
        50, ge=0, description="Most tokens of the text sampled after each evaluation; 0 samples none."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after so many evaluations without a new best; null never stops early."
    )
    seed: int = Field(0, ge=0, description="Seed of initial weights, order of sentences, dropout and samples.")
    threads: int | None = Field(
        None, ge=1, le=1024, description="Threads that compute; null is as many as the BLAS would use."
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="Precision of training.")
    backend: Literal["auto", "numpy", "compiled"] = Field(
        "auto",
        description="What computes the passes over time: `numpy`, `compiled` code, or with `auto` compiled code "
        "where it is built. The environment variable RNNLM_BACKEND stands above it.",
    )


class NamedSection(Section):
    """A part of the configuration in which some keys are for one `name` only."""

    keys_for: ClassVar[dict[str, tuple[str, ...]]]
    name: str

    @model_validator(mode="after")
    def _keys_apply(self) -> "NamedSection":
        for name, keys in self.keys_for.items():
            for key in keys:
                if name != self.name and getattr(self, key) != type(self).model_fields[key].default:
                    raise ValueError(f"{key} is for {name} only, not for {self.name}; leave it out")
        return self

    def options(self) -> dict[str, Any]:
        """Return the values of the keys that are for this name only."""
        return self.model_dump(include=set(self.keys_for.get(self.name, ())))


class TaskConfig(NamedSection):
    """What the network learns."""

    later_keys = ("fit", "log", "differences", "calendar", "attention", "reverse_source")
    keys_for = {
        "classify": ("pooling",),
        "forecast": ("fit", "log", "differences", "calendar"),
        "translate": ("attention", "reverse_source"),
    }
    name: Literal["language_model", "classify", "tag", "translate", "forecast"] = Field(
        "language_model",
        description="`language_model`: the next token; `classify`: a text's label; `tag`: the tag of each token; "
        "`translate`: one text from another; `forecast`: the next number of a series.",
    )
    pooling: Literal["last", "mean", "max"] = Field(
        "max", description="What `classify` makes of the steps of a text: the last, their mean, or their maximum."
    )
    fit: Literal["gradient", "least_squares"] = Field(
        "gradient",
        description="How `forecast` finds the weights: step by step, or, of the AR model (one linear unit of the "
        "cell time_delay), exactly, at once, and nothing is trained.",
    )
    log: bool = Field(False, description="Let `forecast` work with the logarithm of the series.")
    differences: list[int] = Field(
        [],
        max_length=4,
        description="Lags of the differences of the series with which `forecast` works: `[1]` is the change from "
        "the row before, `[1, 12]` that less the change a year of months ago.",
    )
    calendar: list[Literal["month", "weekday"]] = Field(
        [], max_length=2, description="What `forecast` is told of the date of the row that it forecasts."
    )

    attention: Literal["none", "additive"] = Field(
        "none",
        description="What `translate` sees of the source beside its end: nothing, or with `additive` attention at "
        "every step the places that it looks at.",
    )
    reverse_source: bool = Field(False, description="Let `translate` read the source from its end.")

    @field_validator("differences")
    @classmethod
    def _are_lags(cls, lags: list[int]) -> list[int]:
        if any(not 1 <= lag <= LARGEST_SIZE for lag in lags):
            raise ValueError(f"must be lags of 1 or more, not {lags}")
        return lags


class OptimizerConfig(NamedSection):
    """How a step changes the weights.

    The gradient is that of the cross-entropy summed over the time steps and averaged over the sequences.
    """

    keys_for = {"sgd": ("momentum", "nesterov")}
    name: Literal["sgd", "asgd", "adagrad", "rmsprop", "adam", "adamw"] = Field(
        "sgd",
        description="`sgd`: stochastic gradient descent; `asgd`: the same, but the model is the mean of the "
        "weights since the first evaluated loss above the best of all before the last five; `adagrad`; "
        "`rmsprop`; `adam`; `adamw`: Adam with the weight decay apart from the gradient.",
    )
    learning_rate: float = Field(0.005, gt=0, description="Size of a step, at the start.")
    clip_norm: float | None = Field(
        None, gt=0, description="Largest norm of the gradient, longer ones are scaled down; null is any."
    )
    clip_value: float | None = Field(
        None, gt=0, description="Largest absolute value of an element of the gradient; null is any."
    )
    weight_decay: float = Field(
        0.0, ge=0, description="Weight of the L2 penalty; with `adamw`, share of a weight lost per learning rate."
    )
    momentum: float = Field(0.0, ge=0, lt=1, description="Share of the velocity that a step of `sgd` keeps.")
    nesterov: bool = Field(False, description="Let the momentum of `sgd` look ahead.")

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> "OptimizerConfig":
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0")
        return self


class ScheduleConfig(NamedSection):
    """How the learning rate changes.

    A run is over with its epochs, max_steps or max_seconds, whichever ends first.
    """

    keys_for = {"step": ("first_epochs", "factor"), "cosine": ("warmup",)}
    name: Literal["constant", "halve_on_plateau", "step", "linear", "cosine"] = Field(
        "halve_on_plateau",
        description="`constant`; `halve_on_plateau`: halved when the evaluated loss has risen; "
        "`step`: multiplied by factor with every epoch after the first_epochs; `linear`: falls to zero over the "
        "run; `cosine`: rises over the warmup, then falls to zero along half a cosine.",
    )
    first_epochs: int = Field(4, ge=1, description="Epochs with the initial rate before `step` lowers it.")
    factor: float = Field(0.5, gt=0, lt=1, description="What `step` multiplies the rate by.")
    warmup: float = Field(
        0.0, ge=0, lt=1, description="Share of the run in which `cosine` raises the rate from zero, linearly."
    )
