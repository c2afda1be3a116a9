import json
import os
import shutil
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.report.runlog import RunLog
from rnnlm.report.watch import WatchedRuns
from rnnlm.storage import run_directory
from rnnlm.storage.run_directory import RunDirectory

from .conftest import MakeRun, line
from .test_page import Page


def add(run: Path, text: str, log: str = "metrics") -> None:
    with (run / f"{log}.jsonl").open("a") as file:
        file.write(text)


def test_the_page_follows_the_log(make_run: MakeRun):
    run = make_run("a", [line(10, seconds=3)])
    (run / "config.yaml").write_text("training: {epochs: 3, max_steps: 1000}")
    watched = WatchedRuns([run])
    page = Page(watched.page())
    assert page.inside("h2")[:2] == ["Now", "Summary"]
    assert page.row("Steps") == ["10"]
    assert "Step 10 of 1,000, epoch 0.10 of 3, 3 seconds of training." in watched.page()
    assert page.row("Best step") == ["–"]
    add(run, json.dumps(line(20, "valid", loss=3.0, seconds=7)) + "\n")
    add(run, json.dumps({"step": 20, "text": "hello"}) + "\n", "samples")
    page = Page(watched.page())
    assert "Step 20 of 1,000, epoch 0.20 of 3, 7 seconds of training." in watched.page()
    assert page.row("Best step") == ["20"]
    assert page.inside("p")[-1] == "hello"


def test_when_the_last_line_was_written_is_said(make_run: MakeRun):
    run = make_run("a", [line(10)])
    os.utime(run / "metrics.jsonl", (86_400, 86_400))
    assert "Last line of its log: 1970-01-02, 00:00:00." in WatchedRuns([run]).page()


def test_before_the_first_line_it_says_so(make_run: MakeRun):
    run = make_run("a", [])
    (run / "metrics.jsonl").unlink()
    watched = WatchedRuns([run])
    page = Page(watched.page())
    assert page.inside("h2") == ["Now"]
    assert f"{run}: this run has logged nothing yet; wait for the first line, or train more steps." in page.inside(
        "p"
    )
    add(run, json.dumps(line(10))[:50])
    assert Page(watched.page()).inside("h2") == ["Now"]
    add(run, json.dumps(line(10))[50:] + "\n")
    page = Page(watched.page())
    assert page.row("Steps") == ["10"]
    assert "nothing yet" not in str(page.texts)


def test_a_line_that_is_being_written_waits(make_run: MakeRun):
    run = make_run("a", [line(10)])
    watched = WatchedRuns([run])
    add(run, '{"step": 20, "spl')
    page = Page(watched.page())
    assert page.row("Steps") == ["10"]


def test_whether_it_is_being_trained_is_said(make_run: MakeRun):
    pytest.importorskip("fcntl")
    run = make_run("a", [line(10)])
    watched = WatchedRuns([run])
    for _ in range(2):  # as when a run is resumed
        assert Page(watched.page()).inside("strong") == ["a: ended, no process is training in it."]
        with RunDirectory(run).claimed():
            assert Page(watched.page()).inside("strong") == ["a: being trained."]


@pytest.mark.parametrize("locks", ["none", "refused"])
def test_where_the_system_does_not_tell_it_says_so(make_run: MakeRun, locks: str, monkeypatch: pytest.MonkeyPatch):
    run = make_run("a", [line(10)])
    fcntl = pytest.importorskip("fcntl") if locks == "refused" else None

    class Refusing:
        LOCK_SH, LOCK_NB = 0, 0

        def flock(self, descriptor: int, operation: int) -> None:
            raise OSError("no locks")

    monkeypatch.setattr(run_directory, "fcntl", None if fcntl is None else Refusing())
    [said] = Page(WatchedRuns([run]).page()).inside("strong")
    assert said == "a: being trained or not, this system does not tell."


def test_runs_are_read_only_when_they_have_changed(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    from rnnlm.report import watch

    read = []
    real = watch.read_run

    def read_run(path: Path, label: str) -> RunLog:
        read.append(label)
        return real(path, label)

    monkeypatch.setattr(watch, "read_run", read_run)
    run = make_run("a", [line(10)])
    watched = WatchedRuns([run])
    assert watched.page() == watched.page()
    assert read == ["a"]
    for log in ("metrics", "samples"):
        add(run, json.dumps({**line(20), "text": "b"}) + "\n", log)
        assert watched.page() == watched.page()
    assert read == ["a"] * 3


def test_a_run_that_is_cut_back_and_goes_on_is_followed(make_run: MakeRun):
    run = make_run("a", [line(k) for k in (10, 20, 30)])
    watched = WatchedRuns([run])
    assert Page(watched.page()).row("Steps") == ["30"]
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text(lines[0])
    assert Page(watched.page()).row("Steps") == ["10"]
    add(run, json.dumps(line(25)) + "\n")
    assert Page(watched.page()).row("Steps") == ["25"]


def test_what_could_be_read_last_stays_while_something_is_wrong(make_run: MakeRun):
    run = make_run("a", [line(10)])
    watched = WatchedRuns([run])
    watched.page()
    add(run, "damaged\n")
    page = Page(watched.page())
    assert page.row("Steps") == ["10"]
    message = f"{run / 'metrics.jsonl'}, line 2: damaged, it should be a JSON object with a step; remove the line."
    assert message in page.inside("p")
    away = run.rename(run.with_name("b"))
    page = Page(watched.page())
    assert page.row("Steps") == ["10"]
    assert f"{run}: no such directory; name a run." in page.inside("p")
    away.rename(run)
    (run / "metrics.jsonl").write_text(json.dumps(line(20)) + "\n")
    page = Page(watched.page())
    assert page.row("Steps") == ["20"]
    assert "damaged" not in str(page.texts)


@pytest.mark.skipif(os.name == "nt", reason="a directory is opened otherwise there")
def test_what_the_system_refuses_is_said(make_run: MakeRun):
    run = make_run("a", [line(10)])
    watched = WatchedRuns([run])
    (run / "metrics.jsonl").unlink()
    (run / "metrics.jsonl").mkdir()
    [said] = [text for text in Page(watched.page()).inside("p") if "cannot be read" in text]
    assert said == f"{run / 'metrics.jsonl'}: cannot be read (Is a directory)."


def test_runs_that_have_logged_are_shown_beside_one_that_has_not(make_run: MakeRun):
    runs = [make_run("a", []), make_run("b", [line(10)])]
    watched = WatchedRuns(runs, "seconds")
    page = Page(watched.page())
    assert page.inside("h1") == ["Training of a, b"]
    assert page.row("Directory") == [str(runs[1])]
    assert [text.partition(":")[0] for text in page.inside("strong")] == ["a", "b"]
    assert "seconds of training" in page.inside("text")
    add(runs[0], json.dumps(line(5)) + "\n")
    assert Page(watched.page()).row("Directory") == [*map(str, runs)]


def test_what_is_no_run_is_refused_at_once(tmp_path: Path):
    with pytest.raises(RnnlmError, match="no such directory; name a run"):
        WatchedRuns([tmp_path / "none"])
    with pytest.raises(RnnlmError, match="not a run directory; name what"):
        WatchedRuns([tmp_path])


def test_text_of_a_run_cannot_become_markup(make_run: MakeRun):
    run = make_run("a<b>&'\"c", [line(10)], [{"step": 10, "text": "</script><script>alert(1)</script>"}])
    page = Page(WatchedRuns([run]).page())
    assert len(page.named("script")) == 1
    assert not page.named("b")
    assert page.inside("strong")[0].startswith(f"{run.name}: ")


def test_the_page_runs_its_own_script_and_no_other(make_run: MakeRun):
    page = Page(WatchedRuns([make_run("a", [line(10)])]).page())
    [policy] = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    names = [rule.split()[0] for rule in policy.split("; ")]
    assert names == ["default-src", "style-src", "script-src", "connect-src"]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2]
    assert policy.endswith("; connect-src 'self'")


def test_the_forecast_of_a_forecaster_is_followed(series_run: Path, tmp_path: Path):
    run = shutil.copytree(series_run, tmp_path / "a")
    assert "Forecast" in Page(WatchedRuns([run]).page()).inside("h2")
