"""Prolific: its "secured external URL", or its plain parameters where the campaign takes those on trust.

Prolific adds `prolific_token`, a JWT signed with one of its published keys:
https://docs.prolific.com/api-reference/well-known-endpoints/get-study-jwks
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import jwt

from annotations.entry.base import BadEntry, Entry, Knock, Way, identify
from annotations.entry.prolific_keys import KeysUnavailable, public_key
from annotations.models import Annotator, Recruitment, SpentToken
from annotations.platform_ids import PlatformId
from collector.models import Campaign

LONGEST_TOKEN = 8192
ALGORITHM = "RS256"  # and no other, whatever the token says of itself


class Prolific(Way):
    source = Annotator.Source.PROLIFIC

    def knows(self, query: Mapping[str, str]) -> bool:
        return "prolific_token" in query or "PROLIFIC_PID" in query

    def read(self, knock: Knock) -> Entry:
        # A signature over a study nobody named proves no more than the parameters beside it.
        takes_anybody = knock.rules.allow_unverified and not _study_of(knock.rules)
        if "prolific_token" in knock.query and not takes_anybody:
            return _read_token(knock, knock.query["prolific_token"])
        return _read_parameters(knock)

    def spend(self, campaign: Campaign, entry: Entry, annotator: Annotator, *, now: datetime) -> None:
        """A token opens one session: who finds it later, in a history or a log, finds it used."""
        if entry.ticket:
            ends = datetime.fromtimestamp(entry.ticket_ends, UTC)
            SpentToken.objects.create(token_hash=entry.ticket, expires_at=ends)


def _read_token(knock: Knock, token: str) -> Entry:
    claims = _verified_claims(token, knock.now)
    ids = claims.get("prolific")
    if not isinstance(ids, dict) or not _is_for(claims.get("aud"), knock.host):
        raise BadEntry
    # Anyone can open a study on Prolific that leads here; only the manager's own may let people in.
    wanted = _study_of(knock.rules)
    if wanted is None or (ids.get("STUDY_ID"), ids.get("workspace_id")) != wanted:
        raise BadEntry
    person = PlatformId(str(ids.get("PROLIFIC_PID") or ""), str(ids.get("SESSION_ID") or ""))
    entry = identify(knock, Annotator.Source.PROLIFIC, person, is_verified=True)
    once = hashlib.sha256(f"prolific:{claims.get('jti') or token}".encode()).hexdigest()
    return Entry(**entry.as_session() | {"ticket": once, "ticket_ends": float(claims["exp"])})


def _read_parameters(knock: Knock) -> Entry:
    """Whoever can type an address can type these: the annotator is flagged, and can't come back by them."""
    study = knock.query.get("STUDY_ID", "")
    if not knock.rules.allow_unverified or (
        knock.rules.prolific_study and study != knock.rules.prolific_study
    ):
        raise BadEntry
    person = PlatformId(knock.query.get("PROLIFIC_PID", ""), knock.query.get("SESSION_ID", ""))
    return identify(knock, Annotator.Source.PROLIFIC, person, is_verified=False)


def _study_of(rules: Recruitment) -> tuple[str, str] | None:
    both = (rules.prolific_study, rules.prolific_workspace)
    return both if all(both) else None


def _verified_claims(token: str, now: datetime) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN:
        raise BadEntry
    try:
        header = jwt.get_unverified_header(token)
        key = public_key(str(header.get("kid", "")), now=now)
        if key is None or header.get("alg") != ALGORITHM:
            raise BadEntry
        # The audience is compared by _is_for, since Prolific may name the site's domain or a whole address.
        options: Any = {"require": ["exp", "aud", "prolific"], "verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options=options)
    except jwt.PyJWTError as error:
        raise BadEntry from error
    except KeysUnavailable as error:
        raise BadEntry("later") from error
    return claims


def _is_for(audience: Any, host: str) -> bool:
    """Whether the audience is this site: its host, or an address on it."""
    audiences = audience if isinstance(audience, list) else [audience]
    return any(isinstance(one, str) and _host_of(one) == host.lower() for one in audiences)


def _host_of(audience: str) -> str:
    try:
        return urlsplit(audience if "//" in audience else f"//{audience}").netloc.lower()
    except ValueError:
        return ""
