import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.report.runlog import RunLog, read_runs
from rnnlm.report.tensorboard import write_events

from .conftest import MakeRun, line


def events(directory: Path) -> list[Any]:
    """Read the only event file in a directory: records of a length, its checksum, the event, its checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    [file] = directory.iterdir()
    data = file.read_bytes()
    found = []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        found.append(event_pb2.Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    assert found.pop(0).file_version == "brain.Event:2"
    return found


def test_every_run_has_its_curves_and_samples(short_run: RunLog, make_run: MakeRun, tmp_path: Path):
    pytest.importorskip("tensorboardX")
    [other] = read_runs([make_run("other", [line(7, loss=float("nan"))])])
    write_events([short_run, other], tmp_path / "events")
    found = events(tmp_path / "events" / "short")
    values = [(event.step, event.wall_time, value) for event in found for value in event.summary.value]
    scalars = [
        (value.tag, step, value.simple_value) for step, _, value in values if value.tag != "sample/text_summary"
    ]
    assert [(tag, step, number) for tag, step, number in scalars if tag.startswith("loss")] == [
        ("loss/train", 10, 4.0),
        ("loss/train", 20, 3.0),
        ("loss/valid", 20, 2.5),
        ("loss/train", 30, 2.0),
        ("loss/train", 40, 1.5),
        ("loss/valid", 40, 3.0),
    ]
    assert {tag for tag, _, _ in scalars} == {
        *("loss/train", "loss/valid", "perplexity/train", "perplexity/valid"),
        *("learning_rate", "grad_norm", "tokens_per_second"),
    }
    times = {step: time for step, time, value in values if value.tag == "loss/train"}
    assert times[40] - times[20] == pytest.approx(5)
    samples = [
        (step, value.tensor.string_val[0]) for step, _, value in values if value.tag == "sample/text_summary"
    ]
    assert samples == [(20, b"hello"), (40, b"a\nb")]
    tags = {value.tag for event in events(tmp_path / "events" / "other") for value in event.summary.value}
    assert tags == {"perplexity/train", "learning_rate", "grad_norm", "tokens_per_second"}


def test_a_classifier_has_its_measures(classifier_run: RunLog, tmp_path: Path):
    pytest.importorskip("tensorboardX")
    write_events([classifier_run], tmp_path / "events")
    values = [
        (event.step, value) for event in events(tmp_path / "events" / "labels") for value in event.summary.value
    ]
    accuracies = [(step, value.simple_value) for step, value in values if value.tag == "accuracy/valid"]
    assert accuracies == [(10, 0.5), (20, 0.8125), (30, 0.75)]
    tags = {value.tag for _, value in values}
    assert "macro_f1/valid" in tags
    assert not any("perplexity" in tag for tag in tags)


def test_written_again_the_files_take_the_place_of_the_first(short_run: RunLog, tmp_path: Path):
    pytest.importorskip("tensorboardX")
    directory = tmp_path / "events" / "short"
    write_events([short_run], directory.parent)
    first = len(events(directory))
    # Its name has the time in seconds; it is as if some had passed.
    [file] = directory.iterdir()
    file.rename(file.with_name(file.name.replace(".tfevents.", ".tfevents.0")))
    write_events([short_run], directory.parent)
    assert len(events(directory)) == first > 0


def test_without_tensorboardx_the_package_is_named(
    short_run: RunLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(RnnlmError, match=r"need tensorboardX; run: pip install tensorboardX\."):
        write_events([short_run], tmp_path)
