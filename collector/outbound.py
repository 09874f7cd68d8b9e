"""Calls to addresses that people typed in: only to servers the operator allows, never into a private network.

The address is checked, its host looked up once, every address it has checked too, and the connection made
to one of those very addresses: a name that changes its mind between the check and the call changes nothing.
Redirects are not followed and proxies named in the environment are not used.
"""

import re
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

import urllib3
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from collector.addresses import is_own_server, is_public
from collector.environment import HOST_NAME
from collector.timed_connections import PlainConnection, TlsConnection, time_limit

MAX_BODY = 2 * 1024 * 1024
MAX_URL = 1000
CONNECT_SECONDS = 10
CHUNK = 64 * 1024
# What a path may hold; no %, so that nothing can be written in two ways.
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")
Resolve = Callable[[str, int], list[str]]


class Refused(Exception):
    """A rule, which the message names, forbids the address or what it answered; another try is of no use."""


class Unreachable(Exception):
    """No answer, for now."""


class NotConnected(Unreachable):
    """Nobody is there, for now: nothing was sent."""


@dataclass(frozen=True)
class Target:
    """An address that may be called; `addresses` are the checked ones of its host, once looked up."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a server said; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Incoming:
    """An answer of which the pieces of the body still come."""

    status: int
    headers: dict[str, str]
    pieces: Iterator[bytes]


def look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse_url(url: str) -> Target:
    """The address in parts, checked against every rule that needs no network; raises Refused."""
    scheme, separator, rest = url.partition("://")
    if scheme not in ("https", "http") or not separator:
        raise Refused(_("the address must begin with https://"))
    if len(url) > MAX_URL or not re.fullmatch(r"[!-~]*", rest) or "\\" in rest:
        raise Refused(_("the address must be short and of plain characters"))
    if "?" in rest or "#" in rest:
        raise Refused(_("the address must have no ? and no #"))
    place, slash, path = rest.partition("/")
    if "@" in place:
        raise Refused(_("the address must hold no user name or password"))
    if not PATH.fullmatch(slash + path) or {".", ".."} & set(path.split("/")):
        raise Refused(_("the path of the address must be of plain letters and digits"))
    if own := _parse_own(scheme, place, slash + path):
        return own
    return _parse_remote(scheme, place.lower(), slash + path)


def resolve(target: Target, *, look_up: Resolve = look_up) -> Target:
    """The target with its host's addresses, all of them public; raises Refused or Unreachable."""
    if target.addresses:
        return target
    try:
        found = look_up(target.host, target.port)
    except (OSError, UnicodeError) as error:
        raise NotConnected(f"the name {target.host} cannot be looked up") from error
    if not found:
        raise NotConnected(f"the name {target.host} has no address")
    if not all(is_public(address) for address in found):
        raise Refused(f"{target.host} has an address that is not public")
    return Target(target.scheme, target.host, target.port, target.path, tuple(found))


class Channel:
    """Kept-open connections to one target, for several threads at once."""

    def __init__(self, target: Target, *, connections: int = 1) -> None:
        self.target = target
        self._pools = [_make_pool(target, address, connections) for address in target.addresses]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pool in self._pools:
            pool.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        """What the server answers within so many seconds; raises Refused or Unreachable."""
        with self.receive(path, body, headers, seconds=seconds, idle=seconds, most=MAX_BODY) as incoming:
            return Answer(incoming.status, incoming.headers, b"".join(incoming.pieces))

    @contextmanager
    def receive(
        self, path: str, body: bytes, headers: Mapping[str, str], *, seconds: float, idle: float, most: int
    ) -> Iterator[Incoming]:
        """An answer while it comes, for so many seconds, `idle` at most without a sign, `most` bytes.

        Raises Refused or Unreachable, also while the pieces are read.
        """
        until = time.monotonic() + seconds
        response = self._send(path, body, self._complete(headers), idle)
        try:
            _check(response)
            known = {name.lower(): value for name, value in response.headers.items()}
            with closing(_read(response, self.target.host, until, most)) as pieces:
                yield Incoming(response.status, known, pieces)
        finally:
            if not response.closed:
                response.close()  # what is left of it must not meet the next request
            response.release_conn()

    def _send(self, path: str, body: bytes, headers: dict[str, str], idle: float) -> urllib3.BaseHTTPResponse:
        target = self.target
        for pool in self._pools:
            try:
                return pool.urlopen(
                    "POST",
                    target.path.rstrip("/") + path,
                    body=body,
                    headers=headers,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=idle),
                )
            except (NewConnectionError, ConnectTimeoutError):
                continue  # nothing was sent: the host's next address may do
            except (HTTPError, OSError) as error:
                raise _no_answer(target.host, error) from error
        raise NotConnected(f"{target.host} takes no connections")

    def _complete(self, headers: Mapping[str, str]) -> dict[str, str]:
        target = self.target
        name = f"[{target.host}]" if ":" in target.host else target.host
        standard = (target.scheme, target.port) in (("https", 443), ("http", 80))
        host = name if standard else f"{name}:{target.port}"
        return {**headers, "Host": host, "Accept-Encoding": "identity"}


def _parse_own(scheme: str, place: str, path: str) -> Target | None:
    """The loopback or private address that the operator spelled out in just these characters."""
    host, _sep, port = place.rpartition(":")
    address = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if f"{scheme}://{place}" not in settings.PROVIDER_HOSTS or not is_own_server(address):
        return None
    return Target(scheme, address, int(port), path, (address,))


def _parse_remote(scheme: str, place: str, path: str) -> Target:
    host, colon, port = place.partition(":")
    if not HOST_NAME.fullmatch(host):
        raise Refused(_("the address must name a host, in plain letters, digits and dots"))
    if colon and port != "443":
        raise Refused(_("the address must be on port 443"))
    if scheme != "https":
        raise Refused(_("the address must begin with https://"))
    if f"https://{host}:443" not in settings.PROVIDER_HOSTS:
        raise Refused(_("the operator has not allowed the host %(host)s (PROVIDER_HOSTS)") % {"host": host})
    return Target(scheme, host, 443, path)


def _make_pool(target: Target, address: str, connections: int) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        plain = urllib3.HTTPConnectionPool(address, target.port, maxsize=connections, block=True)
        plain.ConnectionCls = PlainConnection
        return plain
    tls = urllib3.HTTPSConnectionPool(
        address,
        target.port,
        maxsize=connections,
        block=True,
        cert_reqs="CERT_REQUIRED",
        server_hostname=target.host,
        assert_hostname=target.host,
    )
    tls.ConnectionCls = TlsConnection
    return tls


def _check(response: urllib3.BaseHTTPResponse) -> None:
    if response.status in range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST):
        raise Refused("the server redirects elsewhere, which is not followed")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused("the server compresses its answer, which was not asked for")


def _read(
    response: urllib3.BaseHTTPResponse, host: str, until: float, most: int
) -> Generator[bytes, None, None]:
    """The body in pieces as they come, so that neither its size nor its slowness is without end."""
    size = 0
    try:
        with time_limit(until - time.monotonic(), response.shutdown) as late:
            while piece := response.read1(CHUNK):
                size += len(piece)
                if size > most:
                    raise Refused(f"the answer is longer than {most} bytes")
                if late.is_set():
                    break
                yield piece
    except (HTTPError, OSError, ValueError) as error:
        if not late.is_set():
            raise _no_answer(host, error) from error
    if late.is_set():
        raise Unreachable("the answer took too long")


def _no_answer(host: str, error: Exception) -> Unreachable:
    return Unreachable(f"{host} gave no answer ({type(error).__name__})")
