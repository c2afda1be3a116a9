import json
import math
import shutil
from pathlib import Path

import pytest

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.perplexity import perplexity
from rnnlm.files import sha256
from rnnlm.report.runlog import RunLog, read_runs
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.vocabulary import Vocabulary

from .conftest import MakeRun, line


def test_what_a_training_wrote_is_read(word_run: Path, word_data: Dataset):
    [run] = read_runs([word_run])
    written = [json.loads(text) for text in (word_run / "metrics.jsonl").read_text().splitlines()]
    assert [(m.split, m.step, m.loss, m.seconds) for m in run.measurements] == [
        (values["split"], values["step"], values["loss"], values["seconds"]) for values in written
    ]
    samples = [json.loads(text) for text in (word_run / "samples.jsonl").read_text().splitlines()]
    assert [(sample.step, sample.text) for sample in run.samples] == [(s["step"], s["text"]) for s in samples]
    assert run.config == Config.load(word_run / "config.yaml")
    assert run.environment == json.loads((word_run / "environment.json").read_text())
    assert run.vocabulary == word_data.vocabulary
    valid = word_data.valid
    assert run.unknown_rates["valid"] == valid.unknown_tokens / valid.num_tokens > 0
    assert set(run.unknown_rates) == {"train", "valid", "test"}


def test_the_best_is_that_of_the_checkpoints(word_run: Path):
    [run] = read_runs([word_run])
    assert run.best is not None
    assert run.best.step < run.evaluations[-1].step
    assert RunDirectory(word_run).checkpoints.find("best").name == f"step-{run.best.step:08.0f}"


def test_the_results_have_the_names_of_the_train_command(short_run: RunLog):
    assert short_run.to_dict() == {
        "run": str(short_run.path),
        "steps": 40,
        "epochs": 0.4,
        "best": {"step": 20, "valid_loss": 2.5, "valid_perplexity": perplexity(2.5)},
        "last": {"step": 40, "valid_loss": 3.0, "valid_perplexity": perplexity(3.0)},
        "tokens_per_second": 40.0,
    }


def test_the_best_of_a_classifier_is_the_most_accurate(classifier_run: RunLog):
    results = classifier_run.to_dict()
    assert results["best"] == {
        "step": 20,
        "valid_loss": 0.8,
        "valid_perplexity": perplexity(0.8),
        "valid_accuracy": 0.8125,
        "valid_macro_f1": 0.75,
    }
    assert (results["last"]["step"], results["last"]["valid_accuracy"]) == (30, 0.75)
    assert classifier_run.measures == ["accuracy", "macro_f1"]
    assert classifier_run.evaluations[0].value("accuracy") == 0.5
    assert math.isnan(classifier_run.measurements[0].value("accuracy"))


def test_between_evaluations_as_accurate_the_loss_decides_and_then_the_first(make_run: MakeRun, label_run: Path):
    losses = [0.5, 0.4, 0.4, 0.45]
    lines = [line(k, "valid", loss=loss, accuracy=0.5) for k, loss in enumerate(losses)]
    [run] = read_runs([make_run("ties", lines, of=label_run)])
    assert run.best is not None
    assert run.best.step == 1


def test_of_a_language_model_the_loss_alone_decides(short_run: RunLog, tagger_run: RunLog):
    assert (short_run.task, short_run.measures) == ("language_model", ["perplexity"])
    assert (tagger_run.task, tagger_run.measures) == ("tag", ["f1", "accuracy"])


def test_values_that_are_absent_null_or_no_numbers_are_nan(make_run: MakeRun):
    path = make_run("odd", [{"step": 5, "split": "train", "loss": None, "epoch": "1", "seconds": float("nan")}])
    with (path / "metrics.jsonl").open("a") as file:
        file.write(f'{{"step": 6, "split": "valid", "tokens": {"9" * 400}, "loss": NaN}}\n')
    [run] = read_runs([path])
    first, second = run.measurements
    assert (first.step, second.step, second.tokens) == (5, 6, math.inf)
    for value in (first.loss, first.epoch, first.seconds, first.grad_norm, second.loss, second.perplexity):
        assert math.isnan(value)
    assert run.best is None
    assert json.loads(json.dumps(run.to_dict(), allow_nan=False))["best"]["step"] is None


def test_the_line_that_is_being_written_is_left_for_later(make_run: MakeRun):
    path = make_run("now", [line(10)])
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2')
    [run] = read_runs([path])
    assert [m.step for m in run.measurements] == [10]


def test_runs_are_called_by_what_tells_them_apart(make_run: MakeRun, tmp_path: Path):
    a, b, c = (make_run(name, [line(10)]) for name in ("x/a", "x/b", "y/z/a"))
    assert [run.label for run in read_runs([a, b])] == ["a", "b"]
    assert [run.label for run in read_runs([c, a, b])] == ["y/z/a", "x/a", "x/b"]
    assert [run.label for run in read_runs([a, tmp_path / "x" / ".." / "x" / "a"])] == ["a"]


def test_no_more_than_the_logs_is_needed(make_run: MakeRun):
    path = make_run("bare", [line(10)])
    for name in ("samples.jsonl", "environment.json"):
        (path / name).unlink()
    config = (path / "config.yaml").read_text().replace("path:", "path: nowhere #")
    (path / "config.yaml").write_text(config)
    [run] = read_runs([path])
    assert (run.samples, run.environment, run.unknown_rates) == ([], {}, {})


def test_another_dataset_at_the_place_of_the_first_says_nothing_of_it(make_run: MakeRun, char_dataset: Path):
    path = make_run("moved", [line(10)])
    config = (path / "config.yaml").read_text().replace("path:", f"path: {char_dataset} #")
    (path / "config.yaml").write_text(config)
    assert read_runs([path])[0].unknown_rates == {}


@pytest.mark.parametrize(
    "damage",
    ["{", "[]", "7", '{"loss": 1}', '{"step": "a"}', '{"step": NaN}', '{"step": true}', "\x00", "[" * 10**5],
)
def test_a_damaged_line_is_named(make_run: MakeRun, damage: str):
    path = make_run("damaged", [line(10)])
    for log in ("metrics.jsonl", "samples.jsonl"):
        good = (path / log).read_text()
        (path / log).write_text(f"{good}{damage}\n")
        number = good.count("\n") + 1
        with pytest.raises(RnnlmError, match=rf"{log}, line {number}: damaged, .* remove the line\.$"):
            read_runs([path])
        (path / log).write_text(good)


def test_what_is_no_run_is_refused(make_run: MakeRun, word_dataset: Path, tmp_path: Path):
    with pytest.raises(RnnlmError, match=r"nowhere: no such directory; name a run\.$"):
        read_runs([tmp_path / "nowhere"])
    with pytest.raises(RnnlmError, match=r"dataset: not a run directory; name what 'rnnlm train --out' wrote\.$"):
        read_runs([word_dataset])
    empty = make_run("empty", [])
    for _ in range(2):
        with pytest.raises(RnnlmError, match=r"empty: this run has logged nothing yet; "):
            read_runs([empty])
        (empty / "metrics.jsonl").unlink(missing_ok=True)
    (empty / "metrics.jsonl").write_text(json.dumps(line(10)) + "\n")
    for damage in ("{", "[" * 10**5):
        (empty / "environment.json").write_text(damage)
        with pytest.raises(RnnlmError, match=r"environment\.json: damaged, it is not JSON; remove the file\.$"):
            read_runs([empty])


def test_a_checkpoint_that_is_replaced_meanwhile_is_read_again(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    path = make_run("a", [line(10)])
    checkpoints = RunDirectory(path).checkpoints
    read, load = [], Vocabulary.load

    def load_slowly(directory: Path) -> Vocabulary:
        read.append(directory)
        if len(read) == 1:
            new = shutil.copytree(directory, directory.with_name("step-99999999"))
            index = {"last": new.name, "last_sha256": sha256(new / "manifest.json"), "best": new.name}
            (checkpoints.directory / "index.json").write_text(json.dumps(index))
            shutil.rmtree(directory)
        return load(directory)

    monkeypatch.setattr(Vocabulary, "load", load_slowly)
    [run] = read_runs([path])
    assert [directory.name == "step-99999999" for directory in read] == [False, True]
    assert run.vocabulary is not None


def test_a_vocabulary_that_is_damaged_is_refused(make_run: MakeRun):
    path = make_run("a", [line(10)])
    (RunDirectory(path).checkpoints.find("last") / "vocabulary.json").write_text("damaged")
    with pytest.raises(RnnlmError, match="vocabulary"):
        read_runs([path])
