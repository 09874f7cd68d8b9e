"""Any panel: `?id=` with a signature only the panel and this site can make, or a `token` this site made.

The panel signs with the campaign's own secret:

    signature = hmac.new(SECRET.encode(), f"{slug}:{id}".encode(), hashlib.sha256).hexdigest()
"""

import hashlib
import hmac
from collections.abc import Mapping

from django.core import signing

from annotations.entry.base import BadEntry, Entry, Knock, Way, identify
from annotations.models import Annotator, Recruitment
from annotations.platform_ids import PlatformId, keyed_hash
from collector.models import Campaign

TOKEN_SALT = "empanel.entry"  # noqa: S105  a salt names the purpose, it is no secret
TOKEN_SECONDS = 60 * 60 * 24 * 30


class Panel(Way):
    source = Annotator.Source.PANEL

    def knows(self, query: Mapping[str, str]) -> bool:
        return "token" in query or "sig" in query

    def read(self, knock: Knock) -> Entry:
        person = _token_id(knock) if "token" in knock.query else _signed_id(knock)
        return identify(knock, self.source, PlatformId(person), is_verified=True)


def make_token(campaign: Campaign, platform_id: str) -> str:
    """A signed `token` for a join link, which proves the id and cannot be forged."""
    return signing.dumps({"campaign": campaign.slug, "id": platform_id}, salt=TOKEN_SALT)


def panel_secret(rules: Recruitment) -> str:
    """The secret that the campaign's panel signs ids with; another one after each new version."""
    return keyed_hash(f"panel:{rules.campaign_id}:{rules.panel_key_version}")


def panel_signature(rules: Recruitment, platform_id: str) -> str:
    """HMAC-SHA256 over the campaign's short name and the id, as hexadecimal digits."""
    message = f"{rules.campaign.slug}:{platform_id}".encode()
    return hmac.new(panel_secret(rules).encode(), message, hashlib.sha256).hexdigest()


def _token_id(knock: Knock) -> str:
    try:
        claim = signing.loads(knock.query["token"], salt=TOKEN_SALT, max_age=TOKEN_SECONDS)
    except signing.BadSignature as error:
        raise BadEntry from error
    if claim.get("campaign") != knock.campaign.slug:
        raise BadEntry
    return str(claim.get("id", ""))


def _signed_id(knock: Knock) -> str:
    person, signature = knock.query.get("id", ""), knock.query["sig"]
    expected = panel_signature(knock.rules, person)
    # As bytes: compare_digest refuses text that is not ASCII.
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise BadEntry
    return person
