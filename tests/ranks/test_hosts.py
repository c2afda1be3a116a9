"""Two hosts, as two network namespaces with a cable between them, where the system lets a test make them."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import mpi

pytestmark = pytest.mark.slow  # MPI over TCP, and the network of the whole machine

NAMES = tuple(f"rnnlm-{os.getpid()}-{letter}" for letter in "ab")  # of this process: others may test meanwhile
ADDRESSES = ("10.213.77.1", "10.213.77.2")


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def remove() -> None:
    for name in NAMES:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[list[str]]:
    """Connect two namespaces, and return the command that starts a rank in each."""
    mpi.need()
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("the system makes no network namespaces for tests")
    try:
        for name in NAMES:
            ip("netns", "add", name)
        ip("link", "add", "cable", "netns", NAMES[0], "type", "veth", "peer", "name", "cable", "netns", NAMES[1])
        for name, address in zip(NAMES, ADDRESSES, strict=True):
            # An address of IPv6 would be tried first, and is not ready at once.
            ip("-n", name, "link", "set", "dev", "cable", "addrgenmode", "none")
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
            ip("-n", name, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        remove()
        pytest.skip(f"the system makes no network namespaces for tests: {error.stderr.strip()}")
    deadline = time.monotonic() + 10
    while not all("state UP" in ip("-n", name, "link", "show", "cable") for name in NAMES):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # What mpiexec takes for ssh: it gets options, a host and a command.
    remote = tmp_path / "remote"
    find = f'while [ "$1" != {ADDRESSES[1]} ]; do shift; done'
    remote.write_text(f'#!/bin/sh\n{find}\nshift\nexec ip netns exec {NAMES[1]} sh -c "$*"\n')
    remote.chmod(0o755)
    options = ["-launcher", "ssh", "-launcher-exec", str(remote), "-hosts", ",".join(ADDRESSES), "-n", "2"]
    yield ["ip", "netns", "exec", NAMES[0], str(mpi.MPIEXEC), *options]
    remove()


ENVIRONMENT = {
    "MPIR_CVAR_CH4_NETMOD": "ofi",
    "MPIR_CVAR_NOLOCAL": "1",
    "FI_PROVIDER": "tcp",
    "FI_TCP_IFACE": "cable",  # else it may be the other one, which leads nowhere
}


def run(launch: list[str], *program: object) -> "subprocess.CompletedProcess[str]":
    command = [*launch, *mpi.command(1, *program)]
    environment = os.environ | ENVIRONMENT
    return subprocess.run(command, cwd=mpi.PROJECT, env=environment, capture_output=True, text=True, timeout=300)


def test_two_hosts_train_together(launch: list[str], word_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("training: {batch_size: 3, max_steps: 5, threads: 1}")
    options = ["train", f"--config={tmp_path / 'config.yaml'}", f"--data={word_dataset}", "--json"]
    outcome = run(launch, "-m", "rnnlm", *options, f"--out={tmp_path / 'run'}")
    assert outcome.returncode == 0, outcome.stderr
    found = json.loads(outcome.stdout)
    alone = subprocess.check_output(mpi.command(1, "-m", "rnnlm", *options, f"--out={tmp_path / 'alone'}"))
    expected = json.loads(alone)
    assert (found["ranks"], found["steps"]) == (2, 5)
    assert found["last"]["valid_loss"] == pytest.approx(expected["last"]["valid_loss"], rel=1e-4)


@pytest.mark.parametrize("who", [0, 1])
def test_a_rank_that_is_killed_on_another_host_is_named(launch: list[str], who: int) -> None:
    outcome = run(launch, "-m", "tests.ranks.meet", "kill", who)
    assert outcome.returncode != 0
    # Where the launcher of another host ends first, mpiexec waits for nobody, and says it itself.
    said = (
        rf"rnnlm: rank {who} on \S+ was killed"
        if who == 0
        else rf"rank 1 on \S+ was killed|RUNNING AT {ADDRESSES[1]}"
    )
    assert re.search(said, outcome.stderr + outcome.stdout)
