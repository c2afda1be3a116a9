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

CONNECT_SECONDS = 2.0


class Door(NamedTuple):
    """Where a watcher is found, on a machine of some names, and what it lets in."""

    hosts: tuple[str, ...]
    port: int
    secret: str


class Watch:
    """One rank's connection to the watcher; from now on this process ends when the watcher says so.

    Parameters
    ----------
    link
        What leads there.
    name, secret
        Who this is, and what it shows to be let in.

    Raises
    ------
    OSError
        If it is not let in: what answers is no watcher, or another's.
    """

    def __init__(self, link: socket.socket, name: str, secret: str) -> None:
        self._link, self._is_heard = link, threading.Event()
        link.settimeout(CONNECT_SECONDS)
        link.sendall(f"{secret} {name}\n".encode())
        if link.recv(16) != b"in\n":
            raise OSError("not let in")
        link.settimeout(None)
        atexit.register(self._send, "bye")
        threading.Thread(target=self._listen, daemon=True, name="watch").start()

    @classmethod
    def start(cls, name: str, hosts: tuple[str, ...]) -> "tuple[Watch, Door]":
        """Start a watcher, as the first rank does on its machine."""
        ours, theirs = socket.socketpair()
        with socket.socket() as door, theirs:
            door.bind(("", 0))
            door.listen(1024)
            port, secret = door.getsockname()[1], secrets.token_hex(16)
            descriptors = theirs.fileno(), door.fileno()
            # -I -S: nothing of where the user is, and no packages.
            subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCHER), *map(str, descriptors), secret],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        return cls(ours, name, secret), Door(hosts, port, secret)

    @classmethod
    def join(cls, name: str, door: Door) -> "Watch | None":
        """Connect to the watcher of the first rank; None where there is no way, as past a firewall."""
        for host in ("localhost", *door.hosts):
            with suppress(OSError):
                return cls(socket.create_connection((host, door.port), CONNECT_SECONDS), name, door.secret)
        return None

    def over(self) -> None:
        """Say that all ranks end, and that people know why; wait until that is heard."""
        self._send("over")
        self._is_heard.wait(CONNECT_SECONDS)

    def _send(self, line: str) -> None:
        with suppress(OSError):  # a watcher that is gone
            self._link.sendall(f"{line}\n".encode())

    def _listen(self) -> None:
        with suppress(OSError):
            while answer := self._link.recv(16):
                if answer == b"end\n":
                    os._exit(1)
                self._is_heard.set()
