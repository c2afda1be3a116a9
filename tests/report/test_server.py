import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from rnnlm.report.server import PageServer

from .conftest import serving


@pytest.fixture
def server() -> Iterator[PageServer]:
    with serving(PageServer(lambda: "<p>ŷ</p>")) as server:
        yield server


def ask(server: PageServer, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    """Send a request and return the answer."""
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_who_knows_the_address_is_given_the_page(server: PageServer) -> None:
    assert server.address == f"http://127.0.0.1:{server.server_address[1]}{server.path}"
    answer, page = ask(server, server.path)
    assert (answer.status, page) == (200, "<p>ŷ</p>".encode())
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_without_the_whole_path_nothing_is_there(server: PageServer) -> None:
    path = server.path
    for other in (
        "/",
        path[:-1],
        path.upper(),
        path[1:],
        f"{path}x",
        f"{path}/",
        f"{path}?a=b",
        f"/{path[1:]}%20",
    ):
        answer, page = ask(server, other)
        assert answer.status == 404
        assert "ŷ".encode() not in page


def test_a_path_of_any_bytes_is_refused(server: PageServer) -> None:
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(b"GET /\xff\xc3 HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert b" 404 " in connection.makefile("rb").readline()


def test_the_path_cannot_be_guessed() -> None:
    with PageServer(str) as one, PageServer(str) as other:
        assert one.path != other.path
        assert len(one.path) > 40
        assert one.server_address[1] != other.server_address[1]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1]", "0.0.0.0"]
)
def test_a_name_from_elsewhere_that_leads_here_is_refused(server: PageServer, host: str) -> None:
    answer, page = ask(server, server.path, Host=host)
    assert answer.status == 403
    assert "ŷ".encode() not in page


def test_a_request_without_a_host_is_refused(server: PageServer) -> None:
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(f"GET {server.path} HTTP/1.0\r\n\r\n".encode())
        assert b" 403 " in connection.makefile("rb").readline()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9000"])
def test_a_tunnel_may_lead_here(server: PageServer, host: str) -> None:
    assert ask(server, server.path, Host=host)[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "DELETE"])
def test_the_page_can_only_be_read(server: PageServer, method: str) -> None:
    answer, page = ask(server, server.path, method)
    assert answer.status == 501
    assert "ŷ".encode() not in page


def test_no_answer_is_kept_or_given_to_other_pages(server: PageServer) -> None:
    origin = {"Origin": "http://evil.example"}
    for path, host in ((server.path, "localhost"), ("/", "localhost"), (server.path, "evil.example")):
        answer, _ = ask(server, path, Host=host, **origin)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert "Python" not in answer.headers["Server"]


def test_other_machines_are_not_answered(server: PageServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    # Another address of this machine, as all that begin with 127 are on Linux.
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.2", server.server_address[1]), timeout=1)


def test_several_are_answered_at_once() -> None:
    barrier = threading.Barrier(8, timeout=10)

    def make() -> str:
        return str(barrier.wait())

    with serving(PageServer(make)) as server, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(server, server.path), range(8)))
    assert sorted(int(page) for _, page in answers) == [*range(8)]


def test_who_says_nothing_keeps_nobody_waiting(server: PageServer) -> None:
    with socket.create_connection(server.server_address):
        assert ask(server, server.path)[0].status == 200


def test_who_does_not_wait_for_the_answer_goes_unmentioned(capfd: pytest.CaptureFixture[str]) -> None:
    gone, tried = threading.Event(), threading.Event()

    def make() -> str:
        gone.wait(10)
        return "x" * 10_000_000

    class Server(PageServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            super().handle_error(request, client_address)
            tried.set()

    with serving(Server(make)) as server:
        with socket.create_connection(server.server_address) as connection:
            connection.sendall(f"GET {server.path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        gone.set()
        assert tried.wait(10)
    assert capfd.readouterr() == ("", "")


def test_a_mistake_in_the_program_is_shown_and_ends_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    pages = iter([ZeroDivisionError(), "well"])

    def make() -> str:
        page = next(pages)
        if isinstance(page, Exception):
            raise page
        return page

    with serving(PageServer(make)) as server:
        with pytest.raises(ConnectionError):
            ask(server, server.path)
        assert ask(server, server.path)[1] == b"well"
    assert "ZeroDivisionError" in capfd.readouterr().err
