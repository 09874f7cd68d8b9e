"""Consent documents and what people allowed: versioned, never overwritten, the latest counts."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import Annotator, Consent, ConsentDocument, Scope
from collector.models import Campaign

DEFAULT_TEXTS = Path(__file__).parent / "consent_texts"


class ScopeWords(NamedTuple):
    """How a scope is asked for."""

    scope: Scope
    help: object
    is_required: bool = False


ASKED = (
    ScopeWords(Scope.TAKE_PART, _("I have read this and want to take part."), is_required=True),
    ScopeWords(Scope.RELEASE_RATINGS, _("My ratings may be published, under a random number.")),
    ScopeWords(
        Scope.RELEASE_DEMOGRAPHICS, _("Coarse answers about me, such as an age band, may stand beside them.")
    ),
    ScopeWords(Scope.RELEASE_FREE_TEXT, _("What I write in my own words may be published after a check.")),
    ScopeWords(
        Scope.SPECIAL_CATEGORY, _("My answers on religion and politics may be used for this research.")
    ),
    ScopeWords(Scope.LINK_RELEASES, _("Later releases may show that the ratings come from the same person.")),
)


def write_document(campaign: Campaign, language: str, markdown: str, *, version: int = 1) -> ConsentDocument:
    """Stores a text whose first line is its heading; the same version and language is kept as it is."""
    heading, _, body = markdown.strip().partition("\n")
    document, _created = ConsentDocument.objects.get_or_create(
        campaign=campaign,
        version=version,
        language=language,
        defaults={
            "title": heading.lstrip("# ").strip(),
            "text": body.strip(),
            "sha256": hashlib.sha256(markdown.encode()).hexdigest(),
        },
    )
    return document


def ensure_documents(campaign: Campaign) -> None:
    """Gives a campaign without a consent document the standard texts."""
    if campaign.consent_documents.exists():
        return
    for path in sorted(DEFAULT_TEXTS.glob("*.md")):
        write_document(campaign, path.stem, path.read_text(encoding="utf-8"))


def latest_version(campaign: Campaign) -> int:
    """The number of the newest consent version, 0 where there is none."""
    return campaign.consent_documents.aggregate(latest=Max("version"))["latest"] or 0


def document_for(campaign: Campaign, language: str) -> ConsentDocument | None:
    """The newest version in the language, else in English, else in whatever language there is."""
    newest = list(campaign.consent_documents.filter(version=latest_version(campaign)))
    by_language = {document.language: document for document in newest}
    return by_language.get(language) or by_language.get("en") or next(iter(newest), None)


def current_consent(annotator: Annotator) -> Consent | None:
    return annotator.consents.select_related("document").order_by("pk").last()


def needs_consent(annotator: Annotator) -> bool:
    """Whether there is a newer version than the one this person agreed to."""
    consent = current_consent(annotator)
    return consent is None or consent.document.version < latest_version(annotator.campaign)


def missing_consent(campaign: Campaign) -> list[str]:
    """What keeps the campaign from opening: a text to agree to."""
    return [] if campaign.consent_documents.exists() else [gettext("Add a consent document.")]
