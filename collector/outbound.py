"""Calls to addresses that people typed in: only to servers the operator allows, never into a private network.

The address is checked, its host looked up once, every address it has checked too, and the connection made
to one of those very addresses: a name that changes its mind between the check and the call changes nothing.
Redirects are not followed and proxies named in the environment are not used.
"""

import re
import socket
import time
from collections.abc import Callable, Mapping
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
        raise Unreachable(f"the name {target.host} cannot be looked up") from error
    if not found:
        raise Unreachable(f"the name {target.host} has no address")
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
        target = self.target
        standard = (target.scheme, target.port) in (("https", 443), ("http", 80))
        name = f"[{target.host}]" if ":" in target.host else target.host
        sent = {
            **headers,
            "Host": name if standard else f"{name}:{target.port}",
            "Accept-Encoding": "identity",
        }
        for pool in self._pools:
            try:
                return _post(pool, target.path.rstrip("/") + path, body, sent, seconds)
            except (NewConnectionError, ConnectTimeoutError):
                continue  # nothing was sent: the host's next address may do
            except (HTTPError, OSError) as error:
                raise Unreachable(f"{target.host} gave no answer ({type(error).__name__})") from error
        raise Unreachable(f"{target.host} takes no connections")


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
        return urllib3.HTTPConnectionPool(address, target.port, maxsize=connections, block=True)
    return urllib3.HTTPSConnectionPool(
        address,
        target.port,
        maxsize=connections,
        block=True,
        cert_reqs="CERT_REQUIRED",
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _post(
    pool: urllib3.HTTPConnectionPool, path: str, body: bytes, headers: dict[str, str], seconds: float
) -> Answer:
    until = time.monotonic() + seconds
    response = pool.urlopen(
        "POST",
        path,
        body=body,
        headers=headers,
        retries=False,
        redirect=False,
        preload_content=False,
        decode_content=False,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
    )
    try:
        if response.status in range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST):
            raise Refused("the server redirects elsewhere, which is not followed")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Refused("the server compresses its answer, which was not asked for")
        text = _read(response, until)
    except BaseException:
        response.close()  # what is left of it must not meet the next request
        raise
    response.release_conn()
    return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, text)


def _read(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    """The whole body: in pieces as they come, so that neither its size nor its slowness is without end."""
    body = bytearray()
    while piece := response.read1(CHUNK):
        body += piece
        if len(body) > MAX_BODY:
            raise Refused(f"the answer is longer than {MAX_BODY} bytes")
        if time.monotonic() > until:
            raise Unreachable("the answer took too long")
    return bytes(body)
