"""What it takes to fill a jury: people, hours, money, and how sure its numbers can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from annotations.statistics.proportion import Interval, wilson_interval

FEWEST = (
    20  # people below which a share within one group of one jury says little: it is known to +-0.2 at best
)
WORST_SHARE = 0.5  # the share whose interval is widest


@dataclass(frozen=True)
class Places:
    """What one stratum still needs, on juries that have `seats` places for it each."""

    label: str
    seats: int
    open: int  # over all prompts
    most_open: int  # on the prompt that lacks most: so many different people have to come
    is_wildcard: bool = False


@dataclass(frozen=True)
class Assumptions:
    """How people are expected to take part, or were seen to."""

    seats_per_person: float  # of those who rate at all
    minutes_per_seat: float
    dropout: float  # the share of those who come and rate nothing, from 0 to below 1
    hourly_pay: float = 0.0
    repeats: float = 0.0  # seats asked again, for each seat
    is_observed: bool = False


@dataclass(frozen=True)
class StratumForecast:
    label: str
    seats: int
    open: int
    people: int  # who rate
    arrivals: int  # who have to come, so that so many rate
    hours: float
    cost: float
    on_a_jury: Interval | None  # of a share of one half, among the stratum's seats on one jury
    overall: Interval | None  # likewise, among all its people: theirs, not their ratings', is the sample
    is_thin: bool


@dataclass(frozen=True)
class Forecast:
    strata: tuple[StratumForecast, ...]
    prompts: int
    seats: int  # on each jury
    on_a_jury: Interval | None
    assumed: Assumptions

    @property
    def dropout_percent(self) -> int:
        return round(100 * self.assumed.dropout)

    @property
    def people(self) -> int:
        return sum(stratum.people for stratum in self.strata)

    @property
    def arrivals(self) -> int:
        return sum(stratum.arrivals for stratum in self.strata)

    @property
    def open(self) -> int:
        return sum(stratum.open for stratum in self.strata)

    @property
    def hours(self) -> float:
        return sum(stratum.hours for stratum in self.strata)

    @property
    def whole_hours(self) -> int:
        return ceil(self.hours)

    @property
    def cost(self) -> float:
        return sum(stratum.cost for stratum in self.strata)

    @property
    def thin(self) -> list[str]:
        """Strata with fewer seats on a jury than a claim about one prompt and group should rest on."""
        return [stratum.label for stratum in self.strata if stratum.is_thin]


def make_forecast(strata: Sequence[Places], prompts: int, assumed: Assumptions) -> Forecast:
    """The forecast for juries of these strata on so many prompts; without prompts, nobody is needed."""
    seats = sum(places.seats for places in strata)
    return Forecast(
        strata=tuple(_forecast(places, prompts, assumed) for places in strata),
        prompts=prompts,
        seats=seats,
        on_a_jury=wilson_interval(WORST_SHARE, seats),
        assumed=assumed,
    )


def people_needed(open_seats: int, most_open: int, seats_per_person: float) -> int:
    """The fewest people who can take that many seats, each prompt's at most once.

    With equal shares that is enough as well as necessary (Gale 1957, Ryser 1957).

    >>> people_needed(300, 3, 20), people_needed(300, 40, 20), people_needed(0, 0, 20)
    (15, 40, 0)
    """
    return max(most_open, ceil(round(open_seats / seats_per_person, 9)))


def _forecast(places: Places, prompts: int, assumed: Assumptions) -> StratumForecast:
    share = max(min(assumed.seats_per_person / (1 + assumed.repeats), prompts), 1)
    people = people_needed(places.open, places.most_open, share)
    hours = places.open * (1 + assumed.repeats) * assumed.minutes_per_seat / 60
    everybody = people_needed(places.seats * prompts, places.seats if prompts else 0, share)
    return StratumForecast(
        label=places.label,
        seats=places.seats,
        open=places.open,
        people=people,
        arrivals=ceil(round(people / (1 - assumed.dropout), 9)),
        hours=hours,
        cost=hours * assumed.hourly_pay,
        on_a_jury=wilson_interval(WORST_SHARE, places.seats),
        overall=wilson_interval(WORST_SHARE, everybody),
        is_thin=not places.is_wildcard and 0 < places.seats < FEWEST,
    )
