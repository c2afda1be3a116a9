"""A page served to this machine alone, to those who know its address."""

import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

LOOPBACK = "127.0.0.1"

HOSTS = (LOOPBACK, "localhost")
"""The names by which a browser may ask; the port may be another, that of a tunnel from another machine."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""With every answer: it is kept nowhere, and no other page may show or load it."""


class PageServer(ThreadingTCPServer):
    """Serves one page on 127.0.0.1, on a port that the system chooses.

    The page has a path that nobody can guess, so no other page or program without it can read it. A page from
    elsewhere whose name leads here (DNS rebinding) asks for another host, and is refused.

    Parameters
    ----------
    make
        Returns the page as of now, as HTML. It is called for each request, perhaps by several threads at once.

    Attributes
    ----------
    path
        The page's.
    """

    daemon_threads = True

    def __init__(self, make: Callable[[], str]) -> None:
        self.make = make
        self.path = f"/{secrets.token_urlsafe()}"
        super().__init__((LOOPBACK, 0), _Handler)

    @property
    def address(self) -> str:
        """The whole address of the page."""
        return f"http://{LOOPBACK}:{self.server_address[1]}{self.path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong, unless it is a browser that did not wait for the answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = 10  # seconds to wait for a request

    def do_GET(self) -> None:
        """Answer a request."""
        if self.headers.get("Host", "").partition(":")[0] not in HOSTS:
            self.send_error(HTTPStatus.FORBIDDEN)
        elif not secrets.compare_digest(self.path.encode(), self.server.path.encode()):
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            page = self.server.make().encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def end_headers(self) -> None:
        """Add what all answers have."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        """Name the server."""
        return "rnnlm"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
