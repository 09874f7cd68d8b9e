"""Who is asked to take part at all: decided before consent, and nothing is kept of those who are not."""

from collections.abc import Collection

from annotations.entry import Entry
from annotations.models import Annotator, Quota, Stratum, Tombstone
from annotations.recruitment import recruitment_of
from collector.models import Campaign


def spoken_languages(campaign: Campaign, page_language: str) -> list[str]:
    """Those of the campaign's languages that whoever reads pages in `page_language` reads: en, en-GB, ..."""
    return [code for code in campaign.languages if _base(code) == _base(page_language)]


def why_not(
    campaign: Campaign, entry: Entry, *, languages: Collection[str], known: Collection[Annotator] = ()
) -> str:
    """Why this person is not asked, as the name of a page's words; empty where nothing is in the way.

    "withdrawn"; "already": they took part in a campaign whose people are not asked again, under the same
    platform id or (`known`) in the same browser; "full": every place in these languages is taken.
    """
    if not campaign.is_open:
        return campaign.state
    if entry.id_hash and Tombstone.objects.filter(campaign=campaign, id_hash=entry.id_hash).exists():
        return "withdrawn"
    if entry.has_taken_part or _took_part(campaign, known):
        return "already"
    return "full" if is_full(campaign, languages) else ""


def is_full(campaign: Campaign, languages: Collection[str]) -> bool:
    """Whether no stratum has a place left in the languages; never before the first places are there."""
    strata = list(Stratum.objects.filter(campaign=campaign).values_list("pk", flat=True))
    places = Quota.objects.filter(stratum__in=strata)
    open_places = places.filter(language__in=list(languages), need__gt=0)
    return not open_places.order_by()[:1] and places.order_by()[:1].exists()


def _took_part(campaign: Campaign, known: Collection[Annotator]) -> bool:
    rules = recruitment_of(campaign)
    if not known or rules.pk is None:
        return False
    return rules.excludes.filter(pk__in=[annotator.campaign_id for annotator in known]).exists()


def _base(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]
