"""Who should sit on each prompt's jury: strata, the places prompts have for them, and who belongs where."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from annotations.models import Annotator, Quota, Seat, Stratum
from annotations.shuffle import shuffle_key
from annotations.strata import faults_of_strata, levels_of, plan_strata
from collector.models import Campaign, Prompt

PROMPTS_PER_BATCH = 500


def make_strata(campaign: Campaign) -> list[Stratum]:
    """The campaign's strata: one per combination of levels, and the wildcard that takes anyone.

    In draft the rows follow the campaign's settings. From opening on they are frozen: people sit in them.
    Without attributes there is one stratum, the wildcard.
    """
    kept = list(campaign.strata_cells.all())
    if kept and not campaign.is_draft:
        return kept
    planned = plan_strata(campaign)
    with transaction.atomic():
        campaign.strata_cells.exclude(label__in=[stratum.label for stratum in planned]).delete()
        Stratum.objects.bulk_create(
            planned,
            update_conflicts=True,
            unique_fields=["campaign", "label"],
            update_fields=["attributes", "seats", "is_wildcard", "position"],
        )
    return list(campaign.strata_cells.all())


def stratum_rows(campaign: Campaign) -> list[Stratum]:
    """The strata to read: those a draft's settings stand for, unsaved, or those that are frozen."""
    return plan_strata(campaign) if campaign.is_draft else list(campaign.strata_cells.all())


def missing_jury(campaign: Campaign) -> list[str]:
    """What the jury lacks before the campaign can open, in words; empty when nothing."""
    missing = list(faults_of_strata(campaign))
    if not missing and not any(stratum.seats for stratum in plan_strata(campaign)):
        missing.append(
            _("The jury has no seats: give each stratum, or anyone, at least one seat per prompt.")
        )
    if campaign.lease_minutes < 1:
        missing.append(_("A seat must be held for at least one minute."))
    return missing


def place_annotator(
    annotator: Annotator, attributes: Mapping[str, Any], scores: Mapping[str, float] | None = None
) -> Stratum | None:
    """The stratum the attributes and scores name, kept from then on; None where they fit none: "anyone".

    Frozen once set, and once the first seat is taken: a later profile moves nobody between strata, nor
    between the levels that soft targets balance.
    """
    if annotator.stratum_id is not None or Seat.objects.filter(annotator=annotator).exists():
        return annotator.stratum
    campaign = annotator.campaign
    levels = levels_of(campaign, attributes, scores or {})
    soft = {target["attribute"]: levels.get(target["attribute"]) for target in campaign.soft_targets}
    annotator.soft_levels = {name: level for name, level in soft.items() if level is not None}
    fitting = (
        stratum
        for stratum in make_strata(campaign)
        if not stratum.is_wildcard and stratum.attributes.items() <= levels.items()
    )
    annotator.stratum = next(fitting, None)
    Annotator.objects.filter(pk=annotator.pk, stratum=None).update(
        stratum=annotator.stratum, soft_levels=annotator.soft_levels
    )
    return annotator.stratum


def seat_ready_prompts(campaign: Campaign) -> int:
    """Opens places on every ready prompt that has none yet, and returns how many prompts that were.

    Nothing happens before the campaign opens or after it closed. May run twice at once.
    """
    if campaign.state not in (Campaign.State.OPEN, Campaign.State.PAUSED):
        return 0
    strata = [stratum for stratum in make_strata(campaign) if stratum.seats]
    if not strata:
        return 0
    quotas = Quota.objects.filter(prompt=OuterRef("pk"))
    unseated = campaign.prompts.judged().filter(~Exists(quotas)).ready().order_by("position", "pk")
    return _open_places(campaign, unseated, strata)


def set_seats(campaign: Campaign, seats: Mapping[str, int]) -> None:
    """Seats on every prompt's jury by stratum label; those not named stay as they are.

    In draft this changes the settings; later also every prompt's places, but never takes a seat from anybody.
    """
    with transaction.atomic():
        for stratum in make_strata(campaign):
            wanted = seats.get(stratum.label, stratum.seats)
            if wanted == stratum.seats:
                continue
            if stratum.is_wildcard:
                campaign.wildcard_seats = wanted
            else:
                campaign.stratum_seats[stratum.label] = wanted
            change_seats(stratum, wanted)
        campaign.save(update_fields=["stratum_seats", "wildcard_seats"])


def change_seats(stratum: Stratum, seats: int) -> None:
    """Gives every prompt `seats` places for the stratum, but never fewer than are taken already."""
    with transaction.atomic():
        Stratum.objects.filter(pk=stratum.pk).update(seats=seats)
        stratum.seats = seats
        Quota.objects.filter(stratum=stratum).update(seats=Greatest(seats, F("taken")))
        if seats:
            juries = Quota.objects.filter(prompt=OuterRef("pk"))
            without = stratum.campaign.prompts.filter(Exists(juries), ~Exists(juries.filter(stratum=stratum)))
            _open_places(stratum.campaign, without, [stratum])


def _open_places(campaign: Campaign, prompts: QuerySet[Prompt], strata: list[Stratum]) -> int:
    """Places for the strata on the prompts, which thereby leave the query; how many prompts that were."""
    opened = 0
    while batch := list(prompts[:PROMPTS_PER_BATCH]):
        Quota.objects.bulk_create(_places(campaign, batch, strata), ignore_conflicts=True)
        opened += len(batch)
    return opened


def _places(campaign: Campaign, prompts: Iterable[Prompt], strata: list[Stratum]) -> list[Quota]:
    return [
        Quota(
            campaign=campaign,
            prompt=prompt,
            stratum=stratum,
            language=prompt.language,
            seats=stratum.seats,
            shuffle=shuffle_key(campaign.seed, prompt.external_id),
        )
        for prompt in prompts
        for stratum in strata
    ]
