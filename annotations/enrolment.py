"""From an entry to an annotator: enrolment, consent, and withdrawal."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotations.assignment import void_seat
from annotations.completion import settle_partial
from annotations.consent import give_consent
from annotations.entry import WAYS, Entry
from annotations.invitations import make_code
from annotations.models import (
    Annotator,
    Ballot,
    Choice,
    ConsentDocument,
    Identity,
    InvitationCode,
    Rating,
    Scope,
    Seat,
    Tombstone,
    Volunteer,
)
from annotations.steering_profiles import forget_profiles
from collector.models import Campaign


class Refused(Exception):
    """This person cannot enrol; `reason` is "closed", "already" or "withdrawn"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Enrolment(NamedTuple):
    annotator: Annotator
    withdrawal_code: str  # shown to the person and kept nowhere but as a hash


def enrol(
    campaign: Campaign,
    entry: Entry,
    document: ConsentDocument,
    scopes: Collection[str],
    *,
    language: str,
    languages: Collection[str] = (),
) -> Enrolment:
    """A new annotator who agreed to the document; raises Refused and then stores nothing.

    `language` is that of the pages they read, `languages` those they can be asked in, where they differ.
    """
    if Scope.TAKE_PART not in scopes:
        raise ValueError("nobody takes part without agreeing to it")
    if not campaign.is_open:
        raise Refused("closed")
    if entry.id_hash and Tombstone.objects.filter(campaign=campaign, id_hash=entry.id_hash).exists():
        raise Refused("withdrawn")
    if entry.has_taken_part:
        raise Refused("already")
    code = make_code()
    try:
        with transaction.atomic():
            annotator = _create_annotator(campaign, entry, language, list(languages) or [language], code)
            give_consent(annotator, document, scopes)
            spend(campaign, entry, annotator)
    except IntegrityError as error:
        raise Refused("already") from error
    return Enrolment(annotator, code)


def find_annotator(campaign: Campaign, entry: Entry) -> Annotator | None:
    """The annotator a verified entry belongs to; an unverified id never opens somebody's session."""
    if not entry.is_verified or (entry.source in WAYS and not WAYS[entry.source].resumes):
        return None
    identity = (
        Identity.objects.filter(campaign=campaign, id_hash=entry.id_hash).select_related("annotator").first()
    )
    return identity.annotator if identity else None


def is_known(campaign: Campaign, entry: Entry) -> bool:
    return bool(entry.id_hash) and Identity.objects.filter(campaign=campaign, id_hash=entry.id_hash).exists()


def is_own(annotator: Annotator, entry: Entry) -> bool:
    """Whether the entry is the annotator's own: the id they came with, or no id at all."""
    return not entry.id_hash or Identity.objects.filter(annotator=annotator, id_hash=entry.id_hash).exists()


def spend(campaign: Campaign, entry: Entry, annotator: Annotator) -> None:
    """Uses up a ticket that lets somebody in once; IntegrityError where it is used. Within a transaction."""
    if entry.source in WAYS:
        WAYS[entry.source].spend(campaign, entry, annotator, now=timezone.now())


def find_by_withdrawal_code(code: str) -> Annotator | None:
    return Annotator.objects.filter(withdrawal_hash=_hash_code(code)).select_related("campaign").first()


def withdraw(annotator: Annotator, *, now: datetime) -> None:
    """Erases what this person gave, gives their seats back, and refuses them from now on.

    Later releases leave them out. What stays is a row without content, which `withdrawals.jsonl`
    needs to name earlier releases' ids, a tombstone, and what they are to be paid for. Withdrawing twice
    changes nothing.
    """
    with transaction.atomic():
        first = (
            Annotator.objects.exclude(state=Annotator.State.WITHDRAWN)
            .filter(pk=annotator.pk)
            .update(state=Annotator.State.WITHDRAWN, withdrawn_at=now)
        )
        if first:
            settle_partial(annotator, now=now)  # withdrawing costs nothing, not even the pay
            _erase(annotator, now)
    annotator.refresh_from_db()


def _create_annotator(
    campaign: Campaign, entry: Entry, language: str, languages: list[str], code: str
) -> Annotator:
    annotator = Annotator.objects.create(
        campaign=campaign,
        source=entry.source,
        language=language,
        languages=languages,
        withdrawal_hash=_hash_code(code),
        flags=["id_unverified"] if entry.id_hash and not entry.is_verified else [],
    )
    if entry.id_hash:
        Identity.objects.create(
            campaign=campaign,
            annotator=annotator,
            id_hash=entry.id_hash,
            sealed=entry.sealed,
            is_verified=entry.is_verified,
        )
    return annotator


def _erase(annotator: Annotator, now: datetime) -> None:
    seats = annotator.seats.filter(state__in=[Seat.State.HELD, Seat.State.FILLED])
    for seat in seats.order_by("prompt_id"):
        void_seat(seat, Seat.VoidReason.WITHDRAWN, now=now)
    Rating.objects.filter(annotator=annotator).delete()
    Choice.objects.filter(annotator=annotator).delete()
    Ballot.objects.filter(seat__annotator=annotator).delete()
    forget_profiles(annotator)
    annotator.profiles.all().delete()
    for identity in Identity.objects.filter(annotator=annotator):
        Tombstone.objects.get_or_create(campaign=annotator.campaign, id_hash=identity.id_hash)
        identity.delete()
    Volunteer.objects.filter(invitation__annotator=annotator).update(attributes={})
    InvitationCode.objects.filter(annotator=annotator).update(annotator=None, reference="")
    Annotator.objects.filter(pk=annotator.pk).update(
        stratum=None, language="", languages=[], weight=None, soft_levels={}, flags=[], extra={}
    )


def _hash_code(code: str) -> str:
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(f"withdrawal:{letters}".encode()).hexdigest()
