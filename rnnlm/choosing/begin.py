"""From a dataset and a budget to a configuration: count, measure, choose."""

from collections.abc import Callable, Iterator
from pathlib import Path

from rnnlm.choosing.advice import advice
from rnnlm.choosing.choice import Choice
from rnnlm.choosing.facts import TEN_MINUTES, Budget, Facts
from rnnlm.choosing.plan import plan, read
from rnnlm.choosing.sizes import Size, ladder
from rnnlm.choosing.speed import Speed, measure
from rnnlm.choosing.values import choice, network
from rnnlm.config import Config, TrainingConfig
from rnnlm.dataset.series import is_series
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.storage.finding import read_checkpoint

TIMED_UNITS = (64, 128, 256)
"""Units of the networks that are timed: small enough for some steps in a moment."""


def choose(
    path: str | Path,
    budget: Budget | None = None,
    units: int | None = None,
    say: Callable[[str], None] = lambda message: None,
    computed: TrainingConfig | None = None,
) -> Choice:
    """Choose a configuration for a dataset, a budget and this machine.

    Parameters
    ----------
    path
        A dataset of text, for a language model.
    budget
        How long to train; None is ten minutes.
    units
        Units of the layers, where they are not to be chosen.
    say
        Told what is being done.
    computed
        Threads, back end and precision of the training, as for `speed_of`.

    Raises
    ------
    RnnlmError
        If there is no such dataset or it is of another kind, has no training text, or the network would be too
        large.
    """
    if is_series(path):
        raise RnnlmError(
            f"{path}: a dataset of a series, and the rules are for language models; begin with "
            "configs/airline-tdnn.yaml."
        )
    facts = Facts.of(Dataset.open(path))
    say(f"Timing networks of {', '.join(map(str, TIMED_UNITS))} units ...")
    decided = plan(facts, speed_of(facts, computed), budget or TEN_MINUTES, units)
    notes = advice(decided)
    for note in notes:
        say(note)
    return choice(decided, notes)


def choose_run(
    path: str | Path,
    budget: Budget | None,
    overrides: tuple[str, ...] = (),
    init_from: Path | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> tuple[Config, dict[str, str]]:
    """Choose the configuration of a run, and the comments that go into its file.

    Parameters
    ----------
    path, budget, say
        As for `choose`.
    overrides
        What is not to be chosen; see `Config.load`.
    init_from
        A run or checkpoint whose network the run begins with: its size is not chosen.

    Raises
    ------
    RnnlmError
        As `choose` does, or if an override is not right.
    """
    units = None if init_from is None else read_checkpoint(init_from).config.model.hidden_size
    computed = Config.load(None, tuple(each for each in overrides if each.startswith("training."))).training
    chosen = choose(path, budget, units, say, computed)
    config = Config.checked(chosen.sections, overrides)
    return config, chosen.comments(config)


def speed_of(facts: Facts, computed: TrainingConfig | None = None) -> Speed:
    """Measure how fast the machine trains networks over a text's vocabulary.

    `computed` says on how many threads, by which back end and in which precision.
    """
    return measure(_timed(facts, computed or TrainingConfig()))


def _timed(facts: Facts, computed: TrainingConfig) -> Iterator[tuple[Size, Config]]:
    cut = read(facts)
    how = {"threads": computed.threads, "backend": computed.backend, "dtype": computed.dtype}
    for size in ladder(facts):
        if size.units in TIMED_UNITS:
            values = {name.partition(".")[2]: value for name, (value, _) in network(size).items()}
            sections = {
                "model": {**values, "vocabulary_size": facts.vocabulary_size},
                "training": {
                    **how,
                    "batching": "stream",
                    "batch_size": cut.batch_size,
                    "bptt_steps": cut.bptt_steps,
                },
                "optimizer": {"clip_norm": 5.0},
            }
            yield size, Config.model_validate(sections)
