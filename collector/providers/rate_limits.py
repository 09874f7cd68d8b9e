"""How long a server asks to be left alone, read from the headers of its answer."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0
UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def asked_wait(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds to wait, an hour at most; None where the headers (names in lower case) do not say.

    >>> asked_wait({"retry-after": "3"}, now=datetime.now(UTC))
    3.0
    """
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return _bounded(milliseconds / 1000)
    if "retry-after" in headers:
        return _retry_after(headers["retry-after"], now)
    spent = wait_when_spent(headers)
    if spent is not None:
        return spent
    reset = _number(headers.get("ratelimit-reset", ""))
    return None if reset is None else _bounded(reset)


def wait_when_spent(headers: Mapping[str, str]) -> float | None:
    """Seconds until there is an allowance again; None where some is left, or the headers do not say.

    >>> wait_when_spent({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m"})
    60.0
    """
    waits = [
        _duration(headers.get(f"x-ratelimit-reset-{kind}", ""))
        for kind in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0"
    ]
    if headers.get("ratelimit-remaining") == "0":
        waits.append(_number(headers.get("ratelimit-reset", "")))
    known = [wait for wait in waits if wait is not None]
    return _bounded(max(known)) if known else None


def _retry_after(value: str, now: datetime) -> float | None:
    if (seconds := _number(value)) is not None:
        return _bounded(seconds)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return _bounded((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _duration(value: str) -> float | None:
    """Seconds of "6m0s", "20ms" or a plain number."""
    if (number := _number(value)) is not None:
        return number
    parts = DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _number(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", value.strip()) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST) if math.isfinite(seconds) else LONGEST
