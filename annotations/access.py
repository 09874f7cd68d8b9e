"""The one way a view gets a campaign for annotators, or an annotator's own rows.

Whose session it is stands in the session under `annotators`, one annotator per campaign; nothing in an
address or a form ever says who somebody is.
"""

from django.http import Http404, HttpRequest

from annotations.entry import Entry
from annotations.models import Annotator, Seat
from collector.models import Campaign

ANNOTATORS, ENTRIES, CODES, LANGUAGES = "annotators", "entries", "withdrawal_codes", "languages"
VISIT_SECONDS = 2 * 60 * 60  # how long a browser is remembered whose person has not agreed to anything


def get_campaign(slug: str) -> Campaign:
    """A campaign that people may be invited to; drafts do not exist for them."""
    campaign = Campaign.objects.filter(slug=slug).exclude(state=Campaign.State.DRAFT).first()
    if campaign is None:
        raise Http404
    return campaign


def get_annotator(request: HttpRequest, slug: str) -> Annotator | None:
    """The annotator this session is in the campaign, or None."""
    key = request.session.get(ANNOTATORS, {}).get(slug)
    if key is None:
        return None
    return Annotator.objects.select_related("campaign", "stratum").filter(pk=key, campaign__slug=slug).first()


def get_annotators(request: HttpRequest) -> list[Annotator]:
    """Who this session is, in every campaign it has taken part in."""
    keys = request.session.get(ANNOTATORS, {}).values()
    return list(Annotator.objects.select_related("campaign").filter(pk__in=list(keys)).order_by("pk"))


def get_seat(annotator: Annotator, nonce: str) -> Seat:
    """The annotator's own seat with this nonce, in whatever state; somebody else's does not exist."""
    seat = annotator.seats.select_related("campaign", "prompt", "stratum").filter(nonce=nonce).first()
    if seat is None:
        raise Http404
    return seat


def remember_entry(request: HttpRequest, slug: str, entry: Entry) -> None:
    """Keeps who knocks until they agree; the id they came with is gone from the address after this."""
    known = request.session.get(ENTRIES, {})
    if entry.id_hash or slug in known:  # a plain link replaces an id, but is nothing to remember by itself
        _remember_visit(request, ENTRIES, slug, entry.as_session())


def recall_entry(request: HttpRequest, slug: str) -> Entry:
    return Entry(**request.session.get(ENTRIES, {}).get(slug, {}))


def remember_languages(request: HttpRequest, slug: str, languages: list[str]) -> None:
    """Keeps what somebody says they read, until they agree."""
    _remember_visit(request, LANGUAGES, slug, languages)


def recall_languages(request: HttpRequest, slug: str) -> list[str]:
    return list(request.session.get(LANGUAGES, {}).get(slug, []))


def sign_in(request: HttpRequest, annotator: Annotator, *, withdrawal_code: str = "") -> None:
    """Makes this session the annotator's, under a new session id; how they came is forgotten."""
    slug = annotator.campaign.slug
    request.session.cycle_key()
    request.session.set_expiry(None)
    _forget(request, slug, ENTRIES, LANGUAGES)
    request.session[ANNOTATORS] = request.session.get(ANNOTATORS, {}) | {slug: annotator.pk}
    if withdrawal_code:
        request.session[CODES] = request.session.get(CODES, {}) | {slug: withdrawal_code}


def sign_out(request: HttpRequest, annotator: Annotator) -> None:
    """Forgets this annotator and gives the session a new id."""
    _forget(request, annotator.campaign.slug, ANNOTATORS, ENTRIES, CODES, LANGUAGES)
    request.session.cycle_key()


def withdrawal_code(request: HttpRequest, slug: str) -> str:
    return str(request.session.get(CODES, {}).get(slug, ""))


def rate_key(group: str, request: HttpRequest) -> str:
    """What a limit counts by: the session, since a class or a company often shares one address."""
    return request.session.session_key or request.META["REMOTE_ADDR"]


def _remember_visit(request: HttpRequest, part: str, slug: str, value: object) -> None:
    if not request.session.get(ANNOTATORS) and not request.user.is_authenticated:
        request.session.set_expiry(VISIT_SECONDS)
    request.session[part] = request.session.get(part, {}) | {slug: value}


def _forget(request: HttpRequest, slug: str, *parts: str) -> None:
    for part in parts:
        if slug in (kept := request.session.get(part, {})):
            request.session[part] = {name: value for name, value in kept.items() if name != slug}
