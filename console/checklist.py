"""What a campaign needs before it can open: every step with what is there or what is missing."""

from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.consent import missing_consent
from annotations.jury import missing_jury
from annotations.strata import plan_strata
from collector.models import Campaign, Criterion


class Step(NamedTuple):
    label: str
    done: bool
    url: str


def opening_checklist(campaign: Campaign) -> list[Step]:
    """The steps in the order in which one takes them."""
    prompts = campaign.prompts.count()
    criteria = campaign.criteria.filter(kind__in=Criterion.RATED).count()
    generators = campaign.generators.count()
    said = {
        "prompts": ngettext("%(n)s prompt", "%(n)s prompts", prompts) % {"n": prompts},
        "criteria": ngettext("%(n)s criterion", "%(n)s criteria", criteria) % {"n": criteria},
        "generators": ngettext("%(n)s generator", "%(n)s generators", generators) % {"n": generators},
    }
    return [
        _jury_step(campaign, missing_jury(campaign)),
        _counted(campaign, "prompts", prompts, said["prompts"], _("Add prompts")),
        _counted(
            campaign, "generators", generators, said["generators"], _("Add a generator, or import candidates")
        ),
        _counted(
            campaign,
            "criteria",
            criteria,
            said["criteria"],
            _("Add a criterion: what is each candidate rated on?"),
        ),
        _step(campaign, "consent", _("Consent texts"), missing_consent(campaign)),
    ]


def _jury_step(campaign: Campaign, missing: list[str]) -> Step:
    return _step(campaign, "campaign_edit", "" if missing else _jury_in_words(campaign), missing)


def _jury_in_words(campaign: Campaign) -> str:
    planned = plan_strata(campaign)
    seats = sum(stratum.seats for stratum in planned)
    strata = sum(not stratum.is_wildcard for stratum in planned)
    if not campaign.strata:
        return ngettext("A jury of %(n)s seat for anyone", "A jury of %(n)s seats for anyone", seats) % {
            "n": seats
        }
    return ngettext(
        "A jury of %(n)s seat in %(strata)s strata", "A jury of %(n)s seats in %(strata)s strata", seats
    ) % {"n": seats, "strata": strata}


def _counted(campaign: Campaign, page: str, count: int, there: str, missing: str) -> Step:
    return Step(there if count else missing, bool(count), _url(page, campaign))


def _step(campaign: Campaign, page: str, there: str, missing: list[str]) -> Step:
    return Step(" ".join(missing) or there, not missing, _url(page, campaign))


def _url(page: str, campaign: Campaign) -> str:
    return reverse(f"console:{page}", args=[campaign.slug])
