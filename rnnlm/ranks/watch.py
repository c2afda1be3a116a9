"""How ranks learn that one of them has died, and people which: each is connected to a `watcher`."""

import atexit
import os
import secrets
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

WATCHER = Path(__file__).with_name("watcher.py")

CONNECT_SECONDS = 5.0


class Door(NamedTuple):
    """Where a watcher is found, and what it lets in."""

    port: int
    secret: str


class Watch:
    """One rank's connection to the watcher.

    Parameters
    ----------
    link
        What leads there.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        link.settimeout(None)

    @classmethod
    def start(cls) -> "tuple[Watch, Door]":
        """Start a watcher, as the first rank does."""
        ours, theirs = socket.socketpair()
        with socket.socket() as door, theirs:
            door.bind(("", 0))
            door.listen(1024)
            number, secret = door.getsockname()[1], secrets.token_hex(16)
            descriptors = theirs.fileno(), door.fileno()
            # -I -S: nothing of where the user is, and no packages.
            subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCHER), *map(str, descriptors), secret],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        return cls(ours), Door(number, secret)

    @classmethod
    def join(cls, host: str, door: Door) -> "Watch | None":
        """Connect to the watcher of another rank; None where there is no way, as past a firewall."""
        try:
            return cls(socket.create_connection((host, door.port), CONNECT_SECONDS))
        except OSError:
            return None

    def begin(self, name: str, door: Door) -> None:
        """Say who this is, and from now on end when the watcher says so."""
        self._send(f"{door.secret} {name}")
        with suppress(OSError):
            self._link.recv(16)  # it has been let in
        atexit.register(self._send, "bye")
        threading.Thread(target=self._listen, daemon=True, name="watch").start()

    def over(self) -> None:
        """Say that all ranks end, and that people know why."""
        self._send("over")

    def _send(self, line: str) -> None:
        with suppress(OSError):  # a watcher that is gone
            self._link.sendall(f"{line}\n".encode())

    def _listen(self) -> None:
        with suppress(OSError):
            if self._link.recv(16) == b"end\n":
                os._exit(1)
