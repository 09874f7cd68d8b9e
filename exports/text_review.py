"""Words that annotators wrote leave only as somebody has released them: the queue and the decisions."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from annotations.models import Annotator, Consent, Scope, ValueProfile
from collector.models import Campaign, User
from exports.models import Release, TextReview
from exports.redaction import changed_spans, find_spans


class NotDecided(ValueError):
    """The decision cannot be kept; the message says why."""


def reviewed_texts(release: Release) -> dict[tuple[int, str], str | None]:
    """What was decided by the cutoff: by (annotator, words) the words to release, None where none are."""
    reviews = TextReview.objects.filter(
        profile__annotator__campaign=release.campaign, decided_at__lte=release.cutoff
    )
    rows = reviews.order_by("decided_at", "pk").values_list(
        "profile__annotator_id", "original", "decision", "redacted"
    )
    released = TextReview.Decision.RELEASED
    return {
        (annotator, original): redacted if decision == released else None
        for annotator, original, decision, redacted in rows.iterator()
    }


def texts_to_release(campaign: Campaign) -> QuerySet[ValueProfile]:
    """The latest words of everybody who allowed their release; simulated annotators are not people."""
    later = ValueProfile.objects.filter(annotator=OuterRef("annotator"), version__gt=OuterRef("version"))
    consents = Consent.objects.filter(annotator=OuterRef("annotator")).order_by("-pk")
    # As text, because SQLite cannot look into a list: the quotes keep one scope apart from another.
    latest = Subquery(consents.annotate(as_text=Cast("scopes", TextField())).values("as_text")[:1])
    profiles = ValueProfile.objects.filter(~Exists(later), annotator__campaign=campaign).exclude(text="")
    allowed = Q(annotator__source=Annotator.Source.IMPORTED) | Q(
        latest_scopes__contains=f'"{Scope.RELEASE_FREE_TEXT.value}"'
    )
    people = (
        profiles.annotate(latest_scopes=latest)
        .filter(allowed)
        .exclude(annotator__source=Annotator.Source.SIMULATED)
    )
    present = people.exclude(annotator__state=Annotator.State.WITHDRAWN)
    return present.select_related("annotator").order_by("pk")


def waiting_texts(campaign: Campaign) -> QuerySet[ValueProfile]:
    """Those of them that nobody has decided on yet."""
    decided = TextReview.objects.filter(profile__annotator=OuterRef("annotator"), original=OuterRef("text"))
    return texts_to_release(campaign).filter(~Exists(decided))


def decide_on_text(
    profile: ValueProfile, redacted: str | None, user: User, *, now: datetime, is_harmless: bool = False
) -> TextReview:
    """Release the profile's words as `redacted`, or keep them back (None); earlier decisions stay readable.

    Raises NotDecided where nothing is left of them, or where the patterns still find something in them that
    nobody called harmless.
    """
    words = None if redacted is None else redacted.strip()
    if words == "":
        raise NotDecided(_("No words are left. Keep the text back instead."))
    if words and not is_harmless and find_spans(words):
        raise NotDecided(_("These words still hold what may say who somebody is."))
    spans = [] if words is None else changed_spans(profile.text, words)
    return TextReview.objects.create(
        profile=profile,
        decision=TextReview.Decision.KEPT_BACK if words is None else TextReview.Decision.RELEASED,
        original=profile.text,
        redacted=words or "",
        spans=[span._asdict() for span in spans],
        decided_by=user,
        decided_at=now,
    )
