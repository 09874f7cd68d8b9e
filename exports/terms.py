"""The terms of a restricted release, and who agreed to them: once per release, before the first file."""

from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from collector.models import Campaign, User
from exports.models import Release, TermsAcceptance

TERMS: tuple[Promise, ...] = (
    _("I use this release for research only, and for nothing else."),
    _("I do not try to find out who anybody is, and I do not link it to other data about people."),
    _("I do not pass it on; whoever wants it agrees to these terms themselves."),
    _("Once a later release lists annotators who have withdrawn, I remove them from my copies."),
    _("If I learn who somebody is, I keep it to myself and tell the people of the campaign."),
)


def needs_terms(user: User, release: Release) -> bool:
    """Whether the user has to agree before they get a file; managers of the campaign do not."""
    if release.tier != Release.Tier.RESTRICTED:
        return False
    if Campaign.objects.managed_by(user).filter(pk=release.campaign_id).exists():
        return False
    return not TermsAcceptance.objects.filter(release=release, user=user).exists()


def accept_terms(user: User, release: Release, *, now: datetime) -> TermsAcceptance:
    """Keep that the user agreed, in the words they saw; agreeing again changes nothing."""
    words = "\n".join(str(sentence) for sentence in TERMS)
    acceptance, _is_new = TermsAcceptance.objects.get_or_create(
        release=release, user=user, defaults={"terms": words, "accepted_at": now}
    )
    return acceptance
