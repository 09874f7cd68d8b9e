"""Invitation codes: `?code=`, each of which lets one person in, once."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError

from annotations.entry.base import BadEntry, Entry, Knock, Way
from annotations.invitations import find_invitation
from annotations.models import Annotator, InvitationCode
from annotations.panels import take_panel_seat
from annotations.platform_ids import hash_identity
from collector.models import Campaign


class Invitation(Way):
    source = Annotator.Source.INVITATION
    resumes = False  # whoever a used code was forwarded to is not the one who used it

    def knows(self, query: Mapping[str, str]) -> bool:
        return "code" in query

    def read(self, knock: Knock) -> Entry:
        invitation = find_invitation(knock.campaign, knock.query["code"])
        if invitation is None:
            raise BadEntry
        return Entry(
            self.source,
            hash_identity(knock.campaign, f"invitation {invitation.code_hash}"),
            is_verified=True,
            ticket=invitation.code_hash,
        )

    def spend(self, campaign: Campaign, entry: Entry, annotator: Annotator, *, now: datetime) -> None:
        unused = InvitationCode.objects.filter(
            campaign=campaign, code_hash=entry.ticket, used_at=None, annotator=None
        )
        if not unused.update(used_at=now, annotator=annotator):
            raise IntegrityError("this invitation is used, or was taken back")
        take_panel_seat(annotator)
