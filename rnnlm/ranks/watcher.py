"""A small program that says which of several ranks has died: what is killed cannot say so itself.

The first rank starts it, with the descriptor of a socket that leads back and that of one where the others knock.
Each sends a line with the secret and its name, and is answered ``in``. It sends ``bye`` when it ends as it
should, and ``over``, answered ``yes``, when it has said why all end. If one is gone without either, this says
so, once, and sends ``end`` to the others. It lives in a session of its own, so that it outlives what launchers
kill together.

It is run by its path, and imports nothing but the standard library: it must start at once and take little memory.
"""

import selectors
import socket
import sys
from contextlib import suppress


class Watcher:
    """Watches the ranks that are connected.

    Parameters
    ----------
    first
        What leads to the first rank.
    door
        Where the others connect.
    secret
        What each shows to be let in.
    """

    def __init__(self, first: socket.socket, door: socket.socket, secret: str) -> None:
        self.door, self.secret = door, secret
        self.selector = selectors.DefaultSelector()
        self.selector.register(door, selectors.EVENT_READ)
        self.lines: dict[socket.socket, str] = {}
        self.names: dict[socket.socket, str] = {}
        self.dead: str | None = None
        self._let_in(first)

    def run(self) -> str | None:
        """Watch until all have ended, or one says that all do; return the name of one that has died."""
        while self.lines:
            # In the order in which they came, where the system tells it: the first that is gone is the cause.
            for key, _ in self.selector.select():
                if key.fileobj is self.door:
                    self._let_in(self.door.accept()[0])
                elif isinstance(key.fileobj, socket.socket) and self._read(key.fileobj):
                    return None
                if self.dead is not None:
                    return self.dead
        return None

    def tell_all(self) -> None:
        """Tell those who are left to end."""
        for link in self.lines:
            with suppress(OSError):
                link.sendall(b"end\n")

    def _let_in(self, link: socket.socket) -> None:
        self.lines[link] = ""
        self.selector.register(link, selectors.EVENT_READ)

    def _read(self, link: socket.socket) -> bool:
        """Read what a rank has sent; return whether it says that all is over."""
        received = b""
        with suppress(OSError):
            received = link.recv(1024)
        *lines, self.lines[link] = (self.lines[link] + received.decode(errors="replace")).split("\n")
        for line in lines:
            secret, _, name = line.partition(" ")
            if secret == self.secret:
                self.names[link] = name
                link.sendall(b"in\n")
            elif link not in self.names:
                received = b""  # a stranger
            elif line == "over":
                link.sendall(b"yes\n")
                return True
            elif line == "bye":
                del self.names[link]
        if not received:
            if link in self.names:
                self.dead = self.names.pop(link)
            self.selector.unregister(link)
            del self.lines[link]
            link.close()
        return False


if __name__ == "__main__":
    first, door = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    watcher = Watcher(first, door, sys.argv[3])
    dead = watcher.run()
    if dead is not None:
        said = f"rnnlm: {dead} was killed, perhaps for want of memory; all ranks have ended."
        print(said, file=sys.stderr, flush=True)
        watcher.tell_all()
