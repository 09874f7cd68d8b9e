"""Reading settings from environment variables, loudly: a bad value stops the start and names its variable."""

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from collector.addresses import is_own_server

T = TypeVar("T")
HOST_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
OWN_SERVER = re.compile(r"(https?)://([0-9.]+|\[[0-9a-f:]+\]):([0-9]{1,5})")
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def read(name: str, default: T, convert: Callable[[str], T]) -> T:
    """The variable converted, or `default` where it is unset or empty."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return convert(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={raw!r}: {error}") from error


def read_text(name: str, default: str = "") -> str:
    return read(name, default, str)


def read_flag(name: str, default: bool) -> bool:
    return read(name, default, _to_flag)


def read_number(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    def convert(raw: str) -> int:
        if not raw.isdigit() or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(raw)

    return read(name, default, convert)


def read_list(name: str, default: list[str]) -> list[str]:
    return read(name, default, lambda raw: [part.strip() for part in raw.split(",") if part.strip()])


def read_queues(name: str, default: list[str], *, reserved: str) -> list[str]:
    """Names of queues: letters, digits, hyphens and underscores; `reserved` is not one of them."""

    def convert(raw: str) -> list[str]:
        queues = [part.strip() for part in raw.split(",") if part.strip()]
        for queue in queues:
            if not QUEUE_NAME.fullmatch(queue):
                raise ValueError(f'"{queue}" is no name of a queue')
            if queue == reserved:
                raise ValueError(f'"{queue}" has a worker of its own')
        return queues

    return read(name, default, convert)


def read_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    def convert(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return raw

    return read(name, default, convert)


def read_url(name: str, schemes: tuple[str, ...]) -> str:
    """The variable, checked to begin with one of the schemes; empty where unset."""

    def convert(raw: str) -> str:
        if raw.split("://")[0] not in schemes or "://" not in raw:
            raise ValueError(f"must begin with {' or '.join(s + '://' for s in schemes)}")
        return raw

    return read(name, "", convert)


def read_origins(name: str) -> list[str]:
    """The servers that may be called, as `scheme://host:port`; none where unset.

    A name stands for https on port 443. Only an address of this machine or of a private network is written
    with scheme and port.
    """

    def convert(raw: str) -> list[str]:
        return [_to_origin(part.strip().lower()) for part in raw.split(",") if part.strip()]

    return read(name, [], convert)


def read_keys(name: str) -> dict[str, str]:
    """Pairs `host=key`, by commas; what is wrong is said without repeating any key."""
    keys = {}
    for number, pair in enumerate(filter(str.strip, os.environ.get(name, "").split(",")), start=1):
        host, equals, key = pair.strip().partition("=")
        if not host or not equals or not re.fullmatch(r"[!-~]+", key):
            raise ImproperlyConfigured(f"{name}: entry {number} is not host=key")
        keys[host.lower()] = key
    return keys


def load_env_file(file: Path) -> None:
    """Set the variables of `file` (lines `NAME=value`, comments begin with #) that are not yet set."""
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not name.isidentifier():
            raise ImproperlyConfigured(f"{file.name} line {number}: expected NAME=value")
        os.environ.setdefault(name, value.strip().strip("\"'"))


def read_secret(name: str, file: Path) -> str:
    """The variable, or a random secret kept in `file` (readable by its owner only), made on first use."""
    if value := read_text(name):
        if len(value) < 32:
            raise ImproperlyConfigured(f"{name} must be at least 32 characters long")
        return value
    try:
        return _kept_secret(file)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{file} can be neither read nor written ({error.strerror}); set {name}"
        ) from error


def _to_origin(entry: str) -> str:
    if HOST_NAME.fullmatch(entry):
        return f"https://{entry}:443"
    own = OWN_SERVER.fullmatch(entry)
    if own and is_own_server(own[2].strip("[]")) and str(int(own[3])) == own[3] and int(own[3]) < 2**16:
        return entry
    raise ValueError(
        f'"{entry}" is neither a host name nor a loopback or private address with scheme and port, '
        "as in http://127.0.0.1:8080"
    )


def _kept_secret(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


def _to_flag(raw: str) -> bool:
    if raw.lower() in TRUE:
        return True
    if raw.lower() in FALSE:
        return False
    raise ValueError("must be 1 or 0")
