"""Consent documents and what people allowed: versioned, never overwritten, the latest counts."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
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
    ScopeWords(Scope.CONTACT, _("I may be asked, where I came from, to take part again.")),
)
OPTIONAL = tuple(asked for asked in ASKED if not asked.is_required)


def write_document(campaign: Campaign, language: str, markdown: str, *, version: int = 1) -> ConsentDocument:
    """Stores a text whose first line is its heading; the same version and language is kept as it is."""
    document = ConsentDocument(campaign=campaign, version=version, language=language)
    document.title, document.text = _split(markdown)
    document.sha256 = hashlib.sha256(document.markdown.encode()).hexdigest()
    kept, _created = ConsentDocument.objects.get_or_create(
        campaign=campaign,
        version=version,
        language=language,
        defaults={"title": document.title, "text": document.text, "sha256": document.sha256},
    )
    return kept


def revise_documents(campaign: Campaign, texts: Mapping[str, str]) -> int:
    """A new version of the texts, by language, and its number; everybody is asked again at their next visit.

    A language without a new text keeps the one it has. Texts that are all as they were change nothing.
    """
    with transaction.atomic():
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        version = latest_version(campaign)
        newest = {one.language: one for one in campaign.consent_documents.filter(version=version)}
        known = {language: one.markdown for language, one in newest.items()}
        wanted = known | dict(texts)
        if all(_split(text) == _split(known.get(language, "")) for language, text in wanted.items()):
            return version
        for language, markdown in wanted.items():
            write_document(campaign, language, markdown, version=version + 1)
    return version + 1


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


def give_consent(annotator: Annotator, document: ConsentDocument, scopes: Collection[str]) -> Consent:
    allowed = [scope.value for scope in Scope if scope in scopes]
    return Consent.objects.create(annotator=annotator, document=document, scopes=allowed)


def change_scopes(annotator: Annotator, optional: Collection[str]) -> None:
    """Allows of what is optional exactly this from now on; taking part stays as it was agreed to.

    What was allowed before stays on record, and releases cut before it stand. The same again changes nothing.
    """
    with transaction.atomic():
        # Two changes at once take their turn, so that the last one sent is the last one kept.
        Annotator.objects.select_for_update(no_key=True).get(pk=annotator.pk)
        consent = current_consent(annotator)
        if consent is None:
            return
        asked = {one.scope.value for one in OPTIONAL}
        wanted = (set(consent.scopes) - asked) | (set(optional) & asked)
        if wanted != set(consent.scopes):
            give_consent(annotator, consent.document, wanted)


def needs_consent(annotator: Annotator) -> bool:
    """Whether there is a newer version than the one this person agreed to."""
    consent = current_consent(annotator)
    return consent is None or consent.document.version < latest_version(annotator.campaign)


def missing_consent(campaign: Campaign) -> list[str]:
    """What keeps the campaign from opening: a text to agree to."""
    return [] if campaign.consent_documents.exists() else [gettext("Add a consent document.")]


def _split(markdown: str) -> tuple[str, str]:
    """The heading without its marks, and what follows it."""
    heading, _newline, body = markdown.replace("\r\n", "\n").strip().partition("\n")
    return heading.lstrip("# ").strip(), body.strip()
