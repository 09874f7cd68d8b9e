"""What every way in has in common: somebody knocks, and is let in as an entry or not at all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from annotations.models import Annotator, Identity, Recruitment
from annotations.platform_ids import PlatformId, hash_identity, seal_id
from collector.models import Campaign

LONGEST_ID = 200


class BadEntry(Exception):
    """A knock that is not answered; `reason` names the words on the page.

    "invitation": incomplete, forged, too old, or made for another campaign. "ways": the campaign lets nobody
    in this way. "sign_in": only with an account. "preview": the platform only shows the task. "later": the
    platform's keys can't be had now.
    """

    def __init__(self, reason: str = "invitation") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Knock:
    """One request at a campaign's door: what its address said, and where and when."""

    campaign: Campaign
    rules: Recruitment
    query: Mapping[str, str]
    host: str  # as the site is called in the address, with its port
    now: datetime
    account: int | None = None  # the key of who is signed in


@dataclass(frozen=True)
class Entry:
    """Who asks to come in, as far as a link can tell; `id_hash` is empty on an open link."""

    source: str = Annotator.Source.LINK
    id_hash: str = ""
    is_verified: bool = False
    sealed: str = field(default="", repr=False)  # the platform id, where people are paid by it
    ticket: str = ""  # what may be used once: the hash of a token or of a code
    ticket_ends: float = 0  # seconds since 1970
    has_taken_part: bool = False  # in a campaign whose people are not asked again

    def as_session(self) -> dict[str, Any]:
        return asdict(self)


class Way(ABC):
    """One way into a campaign."""

    source: ClassVar[str]  # of Annotator.Source
    resumes = True  # whether a verified entry opens its annotator's session again, on another device

    @abstractmethod
    def knows(self, query: Mapping[str, str]) -> bool:
        """Whether the address is of this kind; decides nothing about whether it holds."""

    @abstractmethod
    def read(self, knock: Knock) -> Entry:
        """Who knocks; raises BadEntry where the address does not hold. Stores nothing."""

    def spend(  # noqa: B027  most links may be used again and again
        self, campaign: Campaign, entry: Entry, annotator: Annotator, *, now: datetime
    ) -> None:
        """Uses up what may be used once, in the transaction that lets somebody in; else IntegrityError."""


def identify(knock: Knock, source: str, platform_id: PlatformId, *, is_verified: bool) -> Entry:
    """The entry of a person whom a platform knows by an id; raises BadEntry for an id that cannot be one."""
    person = platform_id.person.strip()
    if not person or len(person) > LONGEST_ID or len(platform_id.submission) > LONGEST_ID:
        raise BadEntry
    return Entry(
        source=source,
        id_hash=hash_identity(knock.campaign, person),
        is_verified=is_verified,
        sealed=seal_id(platform_id._replace(person=person)) if knock.rules.keep_ids else "",
        has_taken_part=_has_taken_part(knock.rules, person),
    )


def _has_taken_part(rules: Recruitment, person: str) -> bool:
    """Each campaign knows a person under another hash, so each is asked for by its own."""
    if rules.pk is None:
        return False
    hashes = [(campaign.pk, hash_identity(campaign, person)) for campaign in rules.excludes.all()]
    return any(
        Identity.objects.filter(campaign=campaign, id_hash=id_hash).exists() for campaign, id_hash in hashes
    )
