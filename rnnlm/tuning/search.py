"""Which values to try next, by those that were tried before; the package optuna chooses them."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.tuning.record import COMPLETE, PRUNED, Trial, score
from rnnlm.tuning.space import Value, Values

if TYPE_CHECKING:
    from optuna.study import Study

RANDOM_SHARE, LEAST_RANDOM = 3, 4
"""One in so many trials, and no fewer than so many, are drawn at random before others follow the best of them."""

RANKED_TRIALS = 4
"""Completed trials from which on others are compared with them, and may be ended early."""


class Search:
    """Proposes values for a trial, and says when it is hopeless.

    Values are drawn by the tree-structured Parzen estimator (Bergstra et al. 2011), and a trial is hopeless if it
    is worse than the median of those before it was after as much of its time. What is proposed depends on the
    trials before and on the seed alone.

    Parameters
    ----------
    space
        What may be tried.
    start
        What is tried first.
    before
        The trials that are over.
    trials
        How many are searched in all.
    seed
        The tuning's seed.

    Raises
    ------
    RnnlmError
        If optuna is not installed.
    """

    def __init__(
        self,
        space: Mapping[str, Sequence[Value]],
        start: Mapping[str, Value],
        before: Sequence[Trial],
        trials: int,
        seed: int,
    ) -> None:
        study = _study(max(LEAST_RANDOM, trials // RANDOM_SHARE), np.random.SeedSequence([seed, len(before)]))
        for trial in before:
            _add(study, space, trial)
        if not before:
            study.enqueue_trial({key: list(values).index(start[key]) for key, values in space.items()})
        self._trial = study.ask()
        # By their places, so that the estimator knows their order.
        places = {key: self._trial.suggest_int(key, 0, len(values) - 1) for key, values in space.items()}
        self.values: Values = {key: space[key][place] for key, place in places.items()}

    def is_hopeless(self, evaluation: Mapping[str, float]) -> bool:
        """Take note of an evaluation in the middle of the trial, and return whether it should end."""
        self._trial.report(score(evaluation), _step(evaluation))
        return bool(self._trial.should_prune())


def again(before: Sequence[Trial], searched: int) -> Values:
    """Return the values to try again with another seed: after the trials that were searched, the best in turn.

    Raises
    ------
    RnnlmError
        If none of these is complete.
    """
    ranked = _ranked(before[:searched])
    return ranked[(len(before) - searched) % len(ranked)][0].values


def best(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials of the values that were best on average, of those tried again if any were.

    Raises
    ------
    RnnlmError
        If none is complete.
    """
    ranked = _ranked(trials)
    return next((group for group in ranked if len(group) > 1), ranked[0])


def _ranked(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Return trials of the same values together, those of the best average first, and only complete ones."""
    groups = [group for group in _by_values(trials) if all(trial.state == COMPLETE for trial in group)]
    if not groups:
        raise RnnlmError(
            "No trial was completed; choose another `out`, and a lower optimizer.learning_rate, or "
            "optimizer.clip_norm=5."
        )
    return sorted(groups, key=lambda group: fmean(trial.score for trial in group))


def _by_values(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Put trials of the same values together."""
    groups: dict[tuple[tuple[str, Value], ...], list[Trial]] = {}
    for trial in trials:
        groups.setdefault(tuple(trial.values.items()), []).append(trial)
    return list(groups.values())


def _study(random_trials: int, seed: np.random.SeedSequence) -> "Study":
    try:
        import optuna
    except ImportError as error:
        raise RnnlmError("Tuning needs optuna; run: pip install optuna.") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        sampler=optuna.samplers.TPESampler(n_startup_trials=random_trials, seed=int(seed.generate_state(1)[0])),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=RANKED_TRIALS, n_min_trials=RANKED_TRIALS),
    )


def _add(study: "Study", space: Mapping[str, Sequence[Value]], trial: Trial) -> None:
    """Tell a study of a trial that is over."""
    from optuna.distributions import IntDistribution
    from optuna.trial import TrialState, create_trial

    is_pruned = trial.state == PRUNED
    study.add_trial(
        create_trial(
            state=TrialState.PRUNED if is_pruned else TrialState.COMPLETE,
            value=score(trial.evaluations[-1]) if is_pruned else trial.score,  # infinite if it has diverged
            params={key: list(space[key]).index(value) for key, value in trial.values.items()},
            distributions={key: IntDistribution(0, len(values) - 1) for key, values in space.items()},
            intermediate_values={_step(each): score(each) for each in trial.evaluations if each["share"] < 1},
        )
    )


def _step(evaluation: Mapping[str, float]) -> int:
    """Return when an evaluation was, in hundredths of the trial, as optuna takes it."""
    return round(100 * evaluation["share"])
