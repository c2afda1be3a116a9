"""What a model is measured on, and what it is mixed with: the options of several commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.common import PATH, SHARE, Command, as_argument, say
from rnnlm.cli.reading import DOCUMENT_OPTIONS, make_reader, refuse_reading_options, say_reading
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.config import Config
    from rnnlm.dataset.series import SeriesSplit
    from rnnlm.dataset.store import Split
    from rnnlm.evaluation.interpolation import Interpolation, Predictor
    from rnnlm.models.forecaster import Forecaster
    from rnnlm.models.language_model import LanguageModel
    from rnnlm.models.model import TextModel
    from rnnlm.text.inputs import ReaderSettings
    from rnnlm.text.vocabulary import Vocabulary

OWN_DATASET = "preprocess with --vocab, or use --text."


@dataclass(frozen=True)
class Measured:
    """A part of a dataset, by default of the model's own, or a text."""

    data: Path | None
    split: str
    text: Path | None
    reader: "ReaderSettings"

    @contextmanager
    def open(self, model: "TextModel", quiet: bool) -> "Iterator[Split]":
        """Open it for a model, and say which dataset, or what, that is."""
        from rnnlm.dataset.building.text_split import text_split
        from rnnlm.text.report import ReadReport

        if self.text is not None:
            report = ReadReport()
            sources = model.source_vocabulary
            with text_split(self.text, model.vocabulary, self.reader, report, model.tags, sources) as part:
                say_reading(report, quiet)
                yield part
            return
        yield open_split(self._dataset(model.config, quiet), self.split, model)

    def open_series(self, model: "Forecaster", quiet: bool) -> "SeriesSplit":
        """Open a part of a series for a forecaster, and say which that is."""
        if self.text is not None:
            raise click.UsageError(f"--text is for models of text, and this is a {model.called}; give --data.")
        return model.open(self._dataset(model.config, quiet)).split(self.split)

    def _dataset(self, config: "Config", quiet: bool) -> str | Path:
        """Return the dataset that was given, or that of the model, and say which it is."""
        path = self.data or config.data.path
        if path is None:
            raise click.UsageError("Give --data DIR or --text FILE.")
        say(f"Dataset: {path}, {self.split} split", quiet)
        return path


def measured_options(default_split: str) -> Callable[[Command], Command]:
    """Add the options that name what a model is measured on, and hand the command a `Measured`."""

    def make(data: Path | None, split: str | None, text: Path | None, **reading: Any) -> Measured:
        reader = make_reader(**reading)
        if text is None:
            refuse_reading_options(reader, "--text FILE")
        elif data is not None:
            raise click.UsageError("Give --data or --text, not both.")
        elif split is not None:
            raise click.UsageError("--split is for a dataset; leave it out with --text.")
        return Measured(data, split or default_split, text, reader)

    return as_argument(
        "measured",
        make,
        click.option(
            "--data", type=PATH, help="Dataset with the model's vocabulary.  [default: the one it was trained on]"
        ),
        click.option(
            "--split",
            type=click.Choice(["train", "valid", "test"]),
            help=f"Part of the dataset.  [default: {default_split}]",
        ),
        click.option(
            "--text", type=PATH, help="Text file instead of a dataset, of any format that preprocess reads."
        ),
        *DOCUMENT_OPTIONS,
    )


@dataclass(frozen=True)
class Mixture:
    """Another model's file that a network is mixed with, if any, and the weight of the network."""

    interpolate: Path | None
    weight: float | None

    def of(
        self,
        model: "LanguageModel",
        load: "Callable[[Path, Vocabulary], Predictor]",
        quiet: bool,
        data: Path | None = None,
        dynamic: float | None = None,
    ) -> "Interpolation | None":
        """Return what a model is mixed with; the weight is fitted on the dataset if none was given."""
        from rnnlm.evaluation.interpolation import Interpolation

        weight = self.weight
        if self.interpolate is None:
            if weight is not None:
                raise click.UsageError("--weight is for a mixture; give --interpolate FILE too.")
            return None
        other = load(self.interpolate, model.vocabulary)
        if weight is None:
            path = data or model.config.data.path
            if path is None:
                raise click.UsageError("Give --weight, as there is no dataset to fit it on.")
            valid = open_split(path, "valid", model)
            weight = model.scorer.fit_weight(other, valid, dynamic=dynamic)
            say(f"Weight of the network: {weight:.4f}, fitted on {path}, valid split", quiet)
        return Interpolation(other, weight)


def mixture_options(others: str) -> Callable[[Command], Command]:
    """Add ``--interpolate`` and ``--weight``, and hand the command a `Mixture`; `others` are what it may name."""
    return as_argument(
        "mixture",
        Mixture,
        click.option("--interpolate", type=PATH, help=f"Mix with another model: {others}."),
        click.option(
            "--weight",
            type=SHARE,
            help="Weight of the network in the mixture.  [default: the best for the validation split]",
        ),
    )


def open_split(path: str | Path, name: str, model: "TextModel", advice: str = OWN_DATASET) -> "Split":
    """Open a part, not empty, of a dataset that has a model's vocabulary and tags; else give `advice`."""
    from rnnlm.dataset.store import Dataset

    dataset = Dataset.open(path)
    if dataset.vocabulary != model.vocabulary:
        raise RnnlmError(f"{path}: its vocabulary is not the model's; {advice}")
    if model.source_vocabulary is not None and dataset.source_vocabulary != model.source_vocabulary:
        raise RnnlmError(f"{path}: the vocabulary of its sources is not the model's; {advice}")
    if model.tags is not None and (dataset.tags is None or dataset.tags.names != model.tags.names):
        raise RnnlmError(f"{path}: its tags are not the model's; {advice}")
    part = dataset.split(name)
    part.refuse_empty()
    return part
