"""Platform ids: known by a keyed hash, and sealed where people have to be paid by them.

Both keys come from IDENTITY_KEY, which is not in the database.
"""

import base64
import hashlib
import hmac
import json
from functools import lru_cache
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from collector.models import Campaign


class PlatformId(NamedTuple):
    """What a platform calls a person, and this one piece of their work where it has a name of its own."""

    person: str
    submission: str = ""


def hash_identity(campaign: Campaign, platform_id: str) -> str:
    """The keyed hash under which a platform id is known in one campaign, and in no other."""
    return keyed_hash(f"{campaign.pk}:{platform_id}")


def keyed_hash(text: str) -> str:
    """HMAC-SHA256 under IDENTITY_KEY, as 64 hexadecimal digits."""
    return hmac.new(settings.IDENTITY_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def seal(text: str, *, purpose: str) -> str:
    """The text encrypted and authenticated (Fernet); what is sealed for one purpose opens for no other."""
    return _cipher(settings.IDENTITY_KEY, purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """The text again; ValueError where the key is another or the text was changed."""
    try:
        return _cipher(settings.IDENTITY_KEY, purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ValueError("sealed under another key, or changed") from error


def seal_id(platform_id: PlatformId) -> str:
    return seal(json.dumps(platform_id), purpose=PAYMENT)


def unseal_id(sealed: str) -> PlatformId:
    return PlatformId(*json.loads(unseal(sealed, purpose=PAYMENT)))


PAYMENT = "platform ids"


@lru_cache(maxsize=8)
def _cipher(key: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"empanel {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(key.encode())))
