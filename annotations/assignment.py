"""Choosing what an annotator rates next, and holding it for them."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from annotations.daily_limits import rest_until
from annotations.models import Annotator, Quota, Seat, Stratum
from annotations.ordering import by_need, imbalance, is_balanced
from annotations.practice import next_practice
from annotations.presentation import next_order
from annotations.repeats import next_repeat
from annotations.shuffle import shuffle_key
from annotations.soft_targets import loads_of
from collector.models import Campaign, Candidate, Prompt

MAX_HELD = 5  # what one drop-out may tie up
CHOICE_OF = 64  # places looked at per claim, whatever the campaign's size
ROUNDS = 4  # tries at a fresh choice, when others were faster each time
EXPIRED_PER_CLAIM = 20

ACTIVE = (Seat.State.HELD, Seat.State.FILLED)
JUDGED = Q(purpose=Prompt.Purpose.JUDGED)


def next_seats(annotator: Annotator, *, count: int = 1, now: datetime) -> list[Seat]:
    """Up to `count` seats held by the annotator: those they hold already, then newly claimed ones.

    Empty when nothing is left for them, when they have done their share, or when the campaign isn't open.
    Of the places open to them they get one with the largest need, in an order of their own.
    """
    if not 1 <= count <= MAX_HELD:
        raise ValueError(f"count must be from 1 to {MAX_HELD}")
    seats = _held_seats(annotator, now)[:count]
    while len(seats) < count:
        seat = _claim(annotator, seats, now)
        # Somebody may have left without a word, and the sweeper not yet been there.
        if seat is None and expire_seats(now, limit=EXPIRED_PER_CLAIM, campaign_id=annotator.campaign_id):
            seat = _claim(annotator, seats, now)
        if seat is None:
            break
        seats.append(seat)
    return seats


def current_seat(annotator: Annotator, *, now: datetime) -> Seat | None:
    """The seat the annotator holds, if its hold has not run out."""
    return annotator.seats.filter(state=Seat.State.HELD, held_until__gt=now).order_by("pk").first()


def extend_hold(seat: Seat, *, now: datetime) -> bool:
    """Holds the seat for another lease from now; False when it is no longer held."""
    until = now + timedelta(minutes=seat.campaign.lease_minutes)
    held = Seat.objects.filter(pk=seat.pk, state=Seat.State.HELD).update(held_until=until)
    if held:
        seat.held_until = until
    return bool(held)


def void_seat(seat: Seat, reason: str, *, now: datetime) -> bool:
    """Gives the place back; False when there was none to give.

    A skipped prompt isn't offered to the same person again. Only a withdrawal empties a filled seat.
    """
    voidable = ACTIVE if reason == Seat.VoidReason.WITHDRAWN else (Seat.State.HELD,)
    with transaction.atomic():
        current = Seat.objects.select_for_update(no_key=True).get(pk=seat.pk)
        if current.state not in voidable:
            return False
        if current.is_counted:
            was_filled = current.state == Seat.State.FILLED
            _quota_of(current).update(taken=F("taken") - 1, filled=F("filled") - int(was_filled))
        current.state, current.void_reason = Seat.State.VOID, reason
        current.held_until = min(current.held_until, now)
        current.save(update_fields=["state", "void_reason", "held_until"])
    seat.state, seat.void_reason, seat.held_until = current.state, reason, current.held_until
    return True


def expire_seats(now: datetime, limit: int = 500, campaign_id: int | None = None) -> int:
    """Gives back the places of up to `limit` seats whose hold ran out; returns how many."""
    stale = Seat.objects.filter(state=Seat.State.HELD, held_until__lt=now)
    if campaign_id is not None:
        stale = stale.filter(campaign_id=campaign_id)
    return sum(_expire(seat, now) for seat in list(stale.order_by("held_until")[:limit]))


def open_places(annotator: Annotator, strata: list[int], languages: list[str]) -> QuerySet[Quota]:
    """Places of the strata, on prompts in the languages, that the annotator could still take."""
    done_with = Q(state__in=ACTIVE) | Q(void_reason=Seat.VoidReason.SKIPPED)
    own = Seat.objects.filter(annotator=annotator).filter(done_with).values("prompt")
    return Quota.objects.filter(stratum__in=strata, language__in=languages, need__gt=0).exclude(
        prompt__in=own
    )


def languages_of(annotator: Annotator) -> list[str]:
    return annotator.languages or [annotator.language]


def wildcard_of(campaign_id: int) -> int | None:
    return Stratum.objects.filter(campaign=campaign_id, is_wildcard=True).values_list("pk", flat=True).first()


def _held_seats(annotator: Annotator, now: datetime) -> list[Seat]:
    """Held and unexpired seats of an open campaign: a reload claims nothing and locks nothing."""
    held = annotator.seats.filter(state=Seat.State.HELD, held_until__gt=now)
    return list(
        held.filter(campaign__state=Campaign.State.OPEN).select_related("campaign").order_by("pk")[:MAX_HELD]
    )


def _claim(annotator: Annotator, known: list[Seat], now: datetime) -> Seat | None:
    """One more seat than those known: another that the annotator holds, or a new one."""
    with transaction.atomic():
        # One person in two tabs claims one after the other; a withdrawal comes before or after, not between.
        locked = (
            Annotator.objects.select_for_update(no_key=True, of=("self",))
            .select_related("campaign")
            .get(pk=annotator.pk)
        )
        if locked.is_withdrawn or not locked.campaign.is_open:
            return None
        counts = locked.seats.aggregate(
            held=Count("pk", filter=Q(state=Seat.State.HELD)),
            active=Count("pk", filter=JUDGED & Q(state__in=ACTIVE)),
            rated=Count("pk", filter=JUDGED & Q(state=Seat.State.FILLED, repeat_index=0)),
            asked=Count("pk", filter=Q(repeat_index=1)),
            attention=Count("pk", filter=Q(purpose=Prompt.Purpose.ATTENTION)),
            ever=Count("pk"),
        )
        if counts["held"] > len(known) and (seat := _hold_again(locked, known, now)):
            return seat
        most = locked.campaign.max_seats_per_annotator
        if most is not None and counts["active"] >= most:
            return None
        if rest_until(locked, now):
            return None
        seat = (
            _practice(locked, counts)
            or _seat_again(locked, counts)
            or _seat_in_a_new_place(locked, counts["ever"])
        )
        return _sit_down(seat, locked.campaign, now) if seat else None


def _hold_again(annotator: Annotator, known: list[Seat], now: datetime) -> Seat | None:
    """A seat that another tab just claimed, or one whose hold ran out and nobody has noticed yet."""
    held = annotator.seats.filter(state=Seat.State.HELD).exclude(pk__in=[seat.pk for seat in known])
    seat = held.select_related("campaign").order_by("pk").first()
    if seat and seat.held_until <= now:
        return seat if extend_hold(seat, now=now) else None
    return seat


def _practice(annotator: Annotator, counts: dict[str, int]) -> Seat | None:
    return next_practice(
        annotator,
        rated=counts["rated"],
        asked=counts["attention"],
        ever=counts["ever"],
        languages=languages_of(annotator),
    )


def _seat_again(annotator: Annotator, counts: dict[str, int]) -> Seat | None:
    """A repeat, where the campaign wants some and one is due."""
    campaign = annotator.campaign
    if not campaign.repeat_percent:
        return None
    return next_repeat(annotator, campaign, rated=counts["rated"], asked=counts["asked"], ever=counts["ever"])


def _seat_in_a_new_place(annotator: Annotator, ever: int) -> Seat | None:
    place = _take_place(annotator)
    if place is None:
        return None
    seat = _left_behind(annotator, place) or _new_seat(annotator, place, ever + 1)
    seat.stratum_id = place.stratum_id
    return seat


def _take_place(annotator: Annotator) -> Quota | None:
    """A place in the annotator's stratum, or failing that among those for anyone."""
    if annotator.stratum_id and (place := _take_place_in(annotator, annotator.stratum_id)):
        return place
    wildcard = wildcard_of(annotator.campaign_id)
    return _take_place_in(annotator, wildcard) if wildcard and wildcard != annotator.stratum_id else None


def _take_place_in(annotator: Annotator, stratum: int) -> Quota | None:
    for _ in range(ROUNDS):
        places = _most_needed(annotator, stratum)
        for place in places:
            if Quota.objects.filter(pk=place.pk, taken__lt=F("seats")).update(taken=F("taken") + 1):
                return place
        if not places:
            return None
    return None


def _most_needed(annotator: Annotator, stratum: int) -> list[Quota]:
    """Some of the places with the largest need, in this annotator's own order.

    A slice is enough to shuffle, and keeps many at once from fighting for one place. One query a language:
    only then is the index read in its order, and no more of it than the slice.
    """
    found: list[Quota] = []
    for language in languages_of(annotator):
        places = open_places(annotator, [stratum], [language]).order_by("-need", "shuffle")
        found += places[:CHOICE_OF]
    largest = max((place.need for place in found), default=0)
    return _in_own_order(annotator, [place for place in found if place.need == largest])


def _in_own_order(annotator: Annotator, places: list[Quota]) -> list[Quota]:
    """Where soft targets decide, first the juries on which the fewest like this annotator sit."""
    seed = annotator.campaign.seed
    loads = {}
    if annotator.soft_levels and places and is_balanced(seed, annotator.pk, *(place.pk for place in places)):
        loads = loads_of([place.prompt_id for place in places])

    def tie(place: Quota) -> tuple[int, int]:
        unlike = imbalance(annotator.soft_levels, loads.get(place.prompt_id, {}))
        return unlike, shuffle_key(seed, annotator.pk, place.prompt_id)

    return by_need(places, tie)


def _left_behind(annotator: Annotator, place: Quota) -> Seat | None:
    """The seat this annotator once let run out: it is theirs again, and an open page of it still works.

    Asked for anew on every claim: the sweeper may have come a moment ago, and a second seat on the prompt
    would stand in the way of the first one's late ballot.
    """
    expired = annotator.seats.filter(state=Seat.State.VOID, void_reason=Seat.VoidReason.EXPIRED)
    return expired.filter(prompt=place.prompt_id, repeat_index=0).first()


def _new_seat(annotator: Annotator, place: Quota, position: int) -> Seat:
    return Seat(
        campaign=annotator.campaign,
        prompt_id=place.prompt_id,
        annotator=annotator,
        position=position,
        candidate_order=_order_candidates(annotator.campaign, place.prompt_id),
    )


def _sit_down(seat: Seat, campaign: Campaign, now: datetime) -> Seat:
    seat.state, seat.void_reason = Seat.State.HELD, ""
    seat.held_at = now
    seat.held_until = now + timedelta(minutes=campaign.lease_minutes)
    seat.save()
    return seat


def _order_candidates(campaign: Campaign, prompt_id: int) -> list[int]:
    """The prompt's candidates in the order that balances what its other jurors are shown."""
    # Two who sit down on one jury at once look at it one after the other.
    list(Prompt.objects.select_for_update(no_key=True).filter(pk=prompt_id).values_list("pk"))
    done = Candidate.objects.for_juries().filter(prompt=prompt_id).values_list("pk", flat=True)
    others = Seat.objects.filter(prompt=prompt_id, state__in=ACTIVE, is_surplus=False, repeat_index=0)
    return next_order(
        sorted(done, key=lambda pk: shuffle_key(campaign.seed, "candidate", pk)),
        others.order_by("pk").values_list("candidate_order", flat=True),
    )


def _expire(seat: Seat, now: datetime) -> int:
    with transaction.atomic():
        still_stale = Seat.objects.filter(pk=seat.pk, state=Seat.State.HELD, held_until__lt=now)
        expired = still_stale.update(state=Seat.State.VOID, void_reason=Seat.VoidReason.EXPIRED)
        if expired and seat.is_counted:
            _quota_of(seat).update(taken=F("taken") - 1)
    return expired


def _quota_of(seat: Seat) -> QuerySet[Quota]:
    return Quota.objects.filter(prompt=seat.prompt_id, stratum=seat.stratum_id)
