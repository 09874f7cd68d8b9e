"""Prolific's published keys, from their one fixed address, kept for at most a day."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import structlog
import urllib3
from django.conf import settings
from django.core.cache import cache

KEYS_URL = "https://api.prolific.com/.well-known/study/jwks.json"
CACHE_KEY = "prolific-keys"
KEPT_SECONDS = 24 * 60 * 60
ASKED_AGAIN_SECONDS = 60  # for a key that is not among those kept: made-up ones must not make us a nuisance
MAX_BYTES = 64 * 1024
TIMEOUT = urllib3.Timeout(connect=5, read=5)
log = structlog.get_logger(__name__)


class KeysUnavailable(Exception):
    """Prolific did not answer, and no keys are kept."""


def public_key(kid: str, *, now: datetime) -> jwt.PyJWK | None:
    """The RSA key that Prolific publishes under the id, or None where it publishes none."""
    if settings.PROLIFIC_KEYS_FILE:
        return _pick(_read(Path(settings.PROLIFIC_KEYS_FILE)), kid)
    kept = cache.get(CACHE_KEY)
    key = _pick(kept["keys"], kid) if kept else None
    if key is None and (not kept or now.timestamp() - kept["at"] > ASKED_AGAIN_SECONDS):
        key = _pick(_fetch(now), kid)
    return key


def _read(file: Path) -> list[Any]:
    try:
        return list(json.loads(file.read_text())["keys"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("prolific_keys_unavailable", error=str(error)[:200])
        raise KeysUnavailable from error


def _fetch(now: datetime) -> list[Any]:
    try:
        answer = urllib3.request("GET", KEYS_URL, timeout=TIMEOUT, redirect=False, retries=False)
        if answer.status != 200 or len(answer.data) > MAX_BYTES:
            raise ValueError(f"status {answer.status}, {len(answer.data)} bytes")
        keys = answer.json()["keys"]
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("prolific_keys_unavailable", error=str(error)[:200])
        raise KeysUnavailable from error
    cache.set(CACHE_KEY, {"keys": keys, "at": now.timestamp()}, KEPT_SECONDS)
    return list(keys or [])


def _pick(keys: list[Any], kid: str) -> jwt.PyJWK | None:
    for key in keys:
        if kid and isinstance(key, dict) and key.get("kid") == kid and key.get("kty") == "RSA":
            return jwt.PyJWK(key, algorithm="RS256")
    return None
