"""Whatever happens in whatever order, no rule of the jury breaks.

Hypothesis makes up what annotators, the sweeper and the manager do; after each step the database is asked.
"""

import contextlib
from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from annotations.assignment import expire_seats, extend_hold, next_seats, void_seat
from annotations.audit import audit_juries
from annotations.ballots import BallotRefused, submit_ballot
from annotations.enrolment import withdraw
from annotations.jury import change_seats, seat_ready_prompts
from annotations.models import Annotator, Ballot, Quota, Rating, Seat
from collector.lifecycle import WrongState, close_campaign, open_campaign, pause_campaign
from tests.builders import make_candidate, make_open_campaign, make_prompt
from tests.jurors import NOW, answer_all, make_juror

SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
CRITERIA, CANDIDATES = 2, 2
EVENTS = ["claim"] * 5 + ["submit"] * 4 + ["wait"] * 2 + ["sweep"] * 2 + ["open"] * 4
EVENTS += ["arrive", "skip", "heartbeat", "withdraw", "add prompt", "change seats", "pause", "close"]


class SeatRow(NamedTuple):
    pk: int
    prompt: int
    stratum: int
    annotator: int
    belongs: int | None
    state: str
    is_surplus: bool
    repeat_index: int

    @property
    def is_counted(self):
        return not self.is_surplus and not self.repeat_index

    @property
    def is_filled(self):
        return self.state == "filled"


class SeatMachine(RuleBasedStateMachine):
    repeat_percent = 0

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.campaign = make_open_campaign(
            prompts=2,
            candidates=CANDIDATES,
            strata=SIDES,
            seats_per_stratum=1,
            wildcard_seats=1,
            lease_minutes=10,
            repeat_percent=self.repeat_percent,
            repeat_distance=1,
        )
        self.wildcard = self.campaign.strata_cells.get(is_wildcard=True).pk
        self.now = NOW
        self.annotators = [make_juror(self.campaign, side) for side in ("left", "left", "right", "")]
        self.seats = {}
        self.ballots = {}  # seat -> what it said first

    def teardown(self):
        try:
            assert audit_juries(self.campaign) == []
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # One rule: of several, Hypothesis leaves some out of most runs, and a jury needs all of them.
    @rule(event=st.sampled_from(EVENTS), pick=st.integers(0, 11), share=st.sampled_from([0.0, 0.5, 1.0]))
    def something_happens(self, event, pick, share):
        annotator = self.annotators[pick % len(self.annotators)]
        seat = list(self.seats.values())[pick % len(self.seats)] if self.seats else None
        match event:
            case "arrive":
                self.annotators.append(make_juror(self.campaign, ["left", "right", ""][pick % 3]))
            case "claim":
                self._claim(annotator)
            case "submit" if seat:
                self._submit(seat, share)
            case "skip" if seat:
                void_seat(seat, Seat.VoidReason.SKIPPED, now=self.now)
            case "heartbeat" if seat:
                extend_hold(seat, now=self.now)
            case "wait":
                self.now += timedelta(minutes=2 * pick)
            case "sweep":
                expire_seats(self.now)
            case "withdraw":
                self._withdraw(annotator)
            case "add prompt":
                self._add_prompt()
            case "change seats":
                change_seats(self.campaign.strata_cells.all()[pick % 3], pick % 4)
            case "pause" | "close" | "open":
                self._move(event)

    @invariant()
    def no_rule_is_broken(self):
        rows = Seat.objects.filter(campaign=self.campaign).values_list(
            "pk",
            "prompt",
            "stratum",
            "annotator",
            "annotator__stratum",
            "state",
            "is_surplus",
            "repeat_index",
        )
        active = [SeatRow(*row) for row in rows if row[5] != "void"]
        taken = Counter((seat.prompt, seat.stratum) for seat in active if seat.is_counted)
        filled = Counter((seat.prompt, seat.stratum) for seat in active if seat.is_filled and seat.is_counted)
        for quota in Quota.objects.filter(campaign=self.campaign):
            place = (quota.prompt_id, quota.stratum_id)
            assert (quota.taken, quota.filled) == (taken[place], filled[place])  # I4
            assert quota.taken <= quota.seats  # I1
        sittings = Counter((seat.prompt, seat.annotator, seat.repeat_index) for seat in active)
        assert _most_common(sittings) <= 1  # I2
        rated = {(seat.prompt, seat.annotator) for seat in active if seat.is_filled and not seat.repeat_index}
        assert all((seat.prompt, seat.annotator) in rated for seat in active if seat.repeat_index)  # I2
        assert _most_common(Counter(seat.annotator for seat in active if not seat.is_filled)) <= 1  # I7
        assert all(seat.stratum in (seat.belongs, self.wildcard) for seat in active)  # I8
        assert {seat.pk for seat in active if seat.is_filled} == set(self.ballots)  # I3
        assert Ballot.objects.filter(seat__campaign=self.campaign).count() == len(self.ballots)  # I9
        ratings = Rating.objects.filter(ballot__seat__campaign=self.campaign)
        assert ratings.count() == len(self.ballots) * CRITERIA * CANDIDATES

    def _claim(self, annotator):
        might_sit = self._might_sit(annotator)
        seats = next_seats(annotator, now=self.now)
        assert bool(seats) == might_sit  # I10: whoever could have a place gets one
        self.seats |= {seat.pk: seat for seat in seats}

    def _submit(self, seat, share):
        """In time, late, again, after a skip, after closing or after a withdrawal: the machine decides."""
        before = (Ballot.objects.count(), Rating.objects.count())
        try:
            ballot = submit_ballot(seat, answer_all(seat, share=share), now=self.now)
        except BallotRefused:
            seat.annotator.refresh_from_db()
            assert (Ballot.objects.count(), Rating.objects.count()) == before
            assert self.campaign.state == "closed" or seat.annotator.is_withdrawn
            return
        first = self.ballots.setdefault(seat.pk, (ballot.pk, share))
        said = ballot.ratings.filter(criterion__name="helpful").values_list("value", flat=True)
        assert (ballot.pk, set(said)) == (first[0], {100 * first[1]})

    def _withdraw(self, annotator):
        withdraw(annotator, now=self.now)
        gone = Seat.objects.filter(annotator=annotator).values_list("pk", flat=True)
        self.ballots = {seat: said for seat, said in self.ballots.items() if seat not in gone}

    def _add_prompt(self):
        prompt = make_prompt(self.campaign)
        for generator in self.campaign.generators.all():
            make_candidate(prompt, generator)
        seat_ready_prompts(self.campaign)

    def _move(self, step):
        moves = {
            "pause": lambda: pause_campaign(self.campaign),
            "close": lambda: close_campaign(self.campaign, now=self.now),
            "open": lambda: open_campaign(self.campaign, now=self.now),
        }
        with contextlib.suppress(WrongState):
            moves[step]()

    def _might_sit(self, annotator):
        """Worked out from rows, without the code under test."""
        if annotator.state == Annotator.State.WITHDRAWN or self.campaign.state != "open":
            return False
        seats = Seat.objects.filter(campaign=self.campaign)
        if seats.filter(annotator=annotator, state="held").exists() or self._is_repeat_due(annotator):
            return True
        for quota in Quota.objects.filter(campaign=self.campaign).select_related("stratum"):
            at_prompt = seats.filter(prompt=quota.prompt_id)
            own = at_prompt.filter(annotator=annotator)
            if own.filter(state="filled").exists() or own.filter(void_reason="skipped").exists():
                continue
            counted = at_prompt.filter(stratum=quota.stratum_id, is_surplus=False, repeat_index=0)
            taken = counted.exclude(state="void")
            kept = taken.exclude(state="held", held_until__lt=self.now).count()
            belongs = quota.stratum.is_wildcard or quota.stratum_id == annotator.stratum_id
            if belongs and kept < quota.seats:
                return True
        return False

    def _is_repeat_due(self, annotator):
        own = Seat.objects.filter(annotator=annotator)
        again = own.filter(repeat_index=1)
        if again.filter(void_reason="expired").exists():
            return True
        first = own.filter(repeat_index=0, state="filled")
        far = first.filter(position__lt=own.count()).exclude(prompt__in=again.values("prompt"))
        is_share_left = (again.count() + 1) * 100 <= first.count() * self.repeat_percent
        return is_share_left and far.exists()


class SeatMachineWithRepeats(SeatMachine):
    repeat_percent = 50


def _most_common(counter):
    return max(counter.values(), default=0)


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [SeatMachine, SeatMachineWithRepeats])
def test_no_order_of_events_breaks_a_jury(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
