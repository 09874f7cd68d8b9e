"""Ways in: an open link, a platform's parameters, or a signed token; none of them creates anything."""

import hashlib
import hmac
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import QueryDict

from annotations.models import Annotator
from collector.models import Campaign

Source = Annotator.Source
TOKEN_SALT = "empanel.entry"  # noqa: S105  a salt names the purpose, it is no secret
TOKEN_SECONDS = 60 * 60 * 24 * 30
LONGEST_ID = 200


class BadEntry(Exception):
    """The link is incomplete, forged, too old, or made for another campaign."""


@dataclass(frozen=True)
class Entry:
    """Who asks to come in, as far as a link can tell; `id_hash` is empty on an open link."""

    source: str = Source.LINK
    id_hash: str = ""
    is_verified: bool = False

    def as_session(self) -> dict[str, Any]:
        return asdict(self)


def read_entry(campaign: Campaign, query: QueryDict) -> Entry:
    """The entry a join link stands for; raises BadEntry for a token that does not hold."""
    if token := query.get("token"):
        return Entry(Source.PANEL, hash_identity(campaign, _signed_id(campaign, token)), is_verified=True)
    if platform_id := query.get("PROLIFIC_PID", "").strip():
        if len(platform_id) > LONGEST_ID:
            raise BadEntry
        return Entry(Source.PROLIFIC, hash_identity(campaign, platform_id))
    return Entry()


def make_token(campaign: Campaign, platform_id: str) -> str:
    """A signed `token` for a join link, which proves the id and cannot be forged."""
    return signing.dumps({"campaign": campaign.slug, "id": platform_id}, salt=TOKEN_SALT)


def hash_identity(campaign: Campaign, platform_id: str) -> str:
    """The keyed hash under which a platform id is known in one campaign, and in no other."""
    message = f"{campaign.pk}:{platform_id}".encode()
    return hmac.new(settings.IDENTITY_KEY.encode(), message, hashlib.sha256).hexdigest()


def _signed_id(campaign: Campaign, token: str) -> str:
    try:
        claim = signing.loads(token, salt=TOKEN_SALT, max_age=TOKEN_SECONDS)
    except signing.BadSignature as error:
        raise BadEntry from error
    if claim.get("campaign") != campaign.slug or not claim.get("id"):
        raise BadEntry
    return str(claim["id"])
