"""HTTP connections whose answers come within a time; a socket's own limit begins anew with every byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


@contextmanager
def time_limit(seconds: float, cut: Callable[[], object]) -> Iterator[threading.Event]:
    """Calls `cut`, which must wake the block, once it has run for so long; the event says whether it did."""
    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(OSError, ValueError, RuntimeError):  # it ended by itself in this very moment
            cut()

    timer = threading.Timer(max(seconds, 0.0), end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


class PlainConnection(HTTPConnection):
    """Status and headers must come within the read timeout as a whole."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        return _in_time(self, super().getresponse)


class TlsConnection(HTTPSConnection):
    """Status and headers must come within the read timeout as a whole."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        return _in_time(self, super().getresponse)


def _in_time(connection: HTTPConnection, answer: Callable[[], urllib3.HTTPResponse]) -> urllib3.HTTPResponse:
    seconds = float(connection.timeout or 0)
    try:
        with time_limit(seconds, lambda: connection.sock.shutdown(socket.SHUT_RDWR)) as late:
            response = answer()
    except (HTTPException, OSError):
        if late.is_set():
            raise TimeoutError from None
        raise
    if late.is_set():  # what was cut off may look like the end of the headers
        response.close()
        raise TimeoutError
    return response
