from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.storage.checkpoint import load_checkpoint
from rnnlm.training.begin import begin_run
from rnnlm.training.loop import Trainer

MakeTrainer = Callable[..., Trainer]


def test_a_run_is_not_overwritten(make_trainer: MakeTrainer, dataset: Dataset, tmp_path: Path) -> None:
    make_trainer().run()
    config = Config.model_validate({"data": {"path": str(dataset.path)}})
    with pytest.raises(RnnlmError, match="`resume`"):
        begin_run(config, tmp_path / "run", resume=False, quiet=True)


def test_a_directory_with_other_files_is_not_written_to(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# mine")
    config = Config.model_validate({"data": {"path": str(dataset.path)}})
    with pytest.raises(RnnlmError, match="other files"):
        begin_run(config, tmp_path, resume=False, quiet=True)
    assert (tmp_path / "config.yaml").read_text() == "# mine"


@pytest.mark.parametrize(
    "name", ["config.yaml", "notes/mine.txt", "checkpoints/step-00001000/weights", "checkpoints/best.bin"]
)
def test_other_files_are_not_touched_beside_checkpoints(dataset: Dataset, tmp_path: Path, name: str) -> None:
    out = tmp_path / "run"
    (out / "checkpoints").mkdir(parents=True)
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("mine")
    config = Config.model_validate({"data": {"path": str(dataset.path)}})
    for resume in (False, True):
        with pytest.raises(RnnlmError, match="other files"):
            begin_run(config, out, resume=resume, quiet=True)
    assert (out / name).read_text() == "mine"


@pytest.mark.parametrize("resume", [False, True])
def test_checkpoints_without_an_index_are_kept(
    make_trainer: MakeTrainer, dataset: Dataset, tmp_path: Path, resume: bool
) -> None:
    trainer = make_trainer()
    trainer.run()
    last = trainer.run_directory.checkpoints.find("last")
    (last.parent / "index.json").unlink()
    config = Config.model_validate({"data": {"path": str(dataset.path)}})
    with pytest.raises(RnnlmError, match=f"no index.json, so the run cannot go on; .*`init_from` .*{last.name}"):
        begin_run(config, tmp_path / "run", resume=resume, quiet=True)
    assert load_checkpoint(last).state["progress"]["step"] > 0


def test_a_run_that_was_killed_before_its_index_begins_again(
    make_trainer: MakeTrainer, dataset: Dataset, tmp_path: Path
) -> None:
    trainer = make_trainer(training={"max_steps": 0})
    trainer.run()
    run = trainer.run_directory
    (run.checkpoints.directory / "index.json").rename(run.checkpoints.directory / ".index.json.partial")
    (run.checkpoints.directory / ".step-00000000.partial").mkdir()
    (run.checkpoints.directory / ".step-00000000.partial" / "manifest.json").touch()
    (run.path / ".DS_Store").touch()
    (run.path / ".config.yaml.partial").touch()
    config = Config.model_validate({"data": {"path": str(dataset.path)}, "training": {"max_steps": 1}})
    begin_run(config, tmp_path / "run", resume=False, quiet=True).run()
    assert run.checkpoints.find("last").name == "step-00000001"
    assert not (run.checkpoints.directory / ".step-00000000.partial").exists()


def test_a_dataset_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(RnnlmError, match=r"data\.path"):
        begin_run(Config(), tmp_path / "run", resume=False, quiet=True)


def test_a_run_begins_with_the_weights_of_another(
    make_trainer: MakeTrainer, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = make_trainer("first", model={"hidden_size": 5, "embedding_size": 4})
    trained.run()
    first = trained.run_directory.path
    sections = {
        "data": {"path": str(dataset.path)},
        "model": {"hidden_size": 9, "dropout": 0.1},
        "training": {"max_steps": 0},
    }
    config = Config.model_validate(sections)
    tuned = begin_run(config, tmp_path / "second", resume=False, quiet=False, init_from=first)
    said = capsys.readouterr().err
    assert (
        "From the checkpoint: model cell rnn, nonlinearity tanh, embedding_size 4, hidden_size 5 (not the" in said
    )
    assert "From the configuration: model embedding_file null, freeze_embedding false, dropout 0.1," in said
    assert f"{first}: 11 tokens kept, 0 new, 0 of the checkpoint's left out" in said
    assert tuned.config.model.hidden_size == 5
    assert tuned.config.model.dropout == 0.1
    best = load_checkpoint(trained.run_directory.checkpoints.find("best"))
    for name, value in tuned.model.network.parameters.items():
        np.testing.assert_array_equal(value, best.tensors[name])
    tuned.run()

    # The run is resumed from its own weights.
    longer = Config.model_validate({**sections, "training": {"max_steps": 3}})
    begin_run(longer, tmp_path / "second", resume=True, quiet=True, init_from=first).run()
    again = begin_run(longer, tmp_path / "second", resume=True, quiet=True, init_from=first)
    assert again.progress.step == 3

    # Without the first run, its own configuration has the architecture.
    with pytest.raises(
        RnnlmError, match=r"embedding_size: None is not the 4 .*; .* `config=.*second/config\.yaml`"
    ):
        begin_run(longer, tmp_path / "second", resume=True, quiet=True)
    own = Config.load(tmp_path / "second" / "config.yaml")
    assert begin_run(own, tmp_path / "second", resume=True, quiet=True).progress.step == 3
