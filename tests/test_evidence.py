"""Evidence on how people worked, by hand-made numbers, and the console's pages for it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.attention import make_attention_items
from annotations.evidence import flags_by_stratum, gather_evidence, median_seconds
from annotations.models import Annotator, Ballot, Rating, Seat
from annotations.practice import bounds_of
from collector.lifecycle import close_campaign
from collector.models import Campaign, Membership
from tests.builders import make_campaign, make_criterion, make_open_campaign, make_user
from tests.people import Person

pytestmark = pytest.mark.django_db


def everyone(campaign: Campaign) -> dict[int, object]:
    return {row.annotator.pk: row for row in gather_evidence(campaign, list(campaign.annotators.all()))}


def a_rater(campaign: Campaign, ballots: int, *, seconds: float, **values: float) -> Person:
    person = Person(campaign).join().agree().skip_profile()
    for _ in range(ballots):
        person.rate(**values)
    Ballot.objects.filter(seat__annotator=person.annotator).update(active_seconds=seconds)
    return person


def roomy(**fields) -> Campaign:
    return make_open_campaign(prompts=6, strata=[], wildcard_seats=9, **fields)


def test_pace_is_measured_against_the_campaigns_median() -> None:
    campaign = roomy()
    slow = [a_rater(campaign, 5, seconds=60, acceptable=4, helpful=70) for _ in range(2)]
    fast = a_rater(campaign, 5, seconds=15, acceptable=4, helpful=70)
    rows = everyone(campaign)

    assert median_seconds(campaign) == 60
    assert rows[fast.annotator.pk].pace == 0.25
    assert "fast" in rows[fast.annotator.pk].flags
    assert "fast" not in rows[slow[0].annotator.pk].flags


def test_the_median_of_an_even_count_is_between_the_middle_two() -> None:
    campaign = roomy()
    a_rater(campaign, 1, seconds=10, acceptable=4, helpful=70)
    a_rater(campaign, 1, seconds=20, acceptable=4, helpful=70)

    assert median_seconds(campaign) == 15
    assert median_seconds(roomy()) is None


def test_one_answer_to_everything_is_a_straight_line() -> None:
    campaign = roomy()
    straight = a_rater(campaign, 5, seconds=60, acceptable=4, helpful=70)
    varied = a_rater(campaign, 5, seconds=60, acceptable=4, helpful=70)
    for ballot in Ballot.objects.filter(seat__annotator=varied.annotator)[:2]:
        Rating.objects.filter(ballot=ballot, position=1, criterion__name="helpful").update(value=10)
    rows = everyone(campaign)

    assert rows[straight.annotator.pk].straight == 1
    assert rows[straight.annotator.pk].flags == ["straight_lining"]
    assert rows[varied.annotator.pk].straight == 0.6
    assert rows[varied.annotator.pk].flags == []


def test_attention_items_are_made_in_each_language_and_counted() -> None:
    campaign = roomy(attention_every=1, languages=["en", "es"])
    for value in (1, 2):
        make_attention_items(campaign, {"acceptable": value})
    english = campaign.prompts.get(external_id="attention-1-en")
    spanish = campaign.prompts.get(external_id="attention-1-es")
    assert "**1**" in english.text
    assert spanish.text != english.text

    careless = a_rater(campaign, 4, seconds=60, acceptable=4, helpful=70)
    careful = a_rater(campaign, 1, seconds=60, acceptable=4, helpful=70)
    careful.rate(acceptable=1, helpful=0)
    rows = everyone(campaign)

    assert rows[careless.annotator.pk].attention == (0, 2)
    assert "attention_missed" in rows[careless.annotator.pk].flags
    assert rows[careful.annotator.pk].attention == (1, 1)


def test_asked_again_the_distance_is_a_share_of_the_scale() -> None:
    campaign = roomy()
    person = a_rater(campaign, 1, seconds=60, acceptable=4, helpful=70)
    first = Seat.objects.get(annotator=person.annotator, state="filled")
    again = Seat.objects.create(
        campaign=campaign,
        prompt=first.prompt,
        stratum=first.stratum,
        annotator=person.annotator,
        state="filled",
        repeat_index=1,
        held_at=first.held_at,
        held_until=first.held_until,
    )
    ballot = Ballot.objects.create(seat=again, form=first.ballots.get().form)
    for rating in Rating.objects.filter(ballot__seat=first):
        moved = {"acceptable": 2.0, "helpful": 70.0}[rating.criterion.name]  # 2 of 4 steps, and none
        Rating.objects.create(
            ballot=ballot,
            annotator=person.annotator,
            candidate=rating.candidate,
            criterion=rating.criterion,
            value=moved,
        )
    row = everyone(campaign)[person.annotator.pk]

    assert row.retest == 0.25
    assert row.repeats == 4
    assert "unsteady" not in row.flags


def test_the_same_words_from_two_people_are_seen() -> None:
    campaign = roomy()
    people = [Person(campaign).join().agree() for _ in range(3)]
    for person, words in zip(people, ["I keep bees.", "I keep bees.", "I keep hens."], strict=True):
        person.profile({"free-text-values.self_description": words})
    rows = everyone(campaign)

    assert [rows[person.annotator.pk].repeated_text for person in people] == [True, True, False]


def test_pasted_words_are_noted_and_shown_to_the_manager() -> None:
    campaign = roomy()
    person = Person(campaign).join().agree()
    person.profile({"free-text-values.self_description": "I keep bees.", "pasted": "1"})
    person.rate(acceptable=4, helpful=70)

    assert "pasted_text" in person.annotator.flags
    assert "pasted_text" in a_manager(campaign).get(f"/console/c/{campaign.slug}/people/").content.decode()


def test_flags_are_counted_by_stratum() -> None:
    campaign = make_open_campaign(prompts=6)
    a_rater(campaign, 5, seconds=60, acceptable=4, helpful=70)
    rows = flags_by_stratum(gather_evidence(campaign, list(Annotator.objects.select_related("stratum"))))

    assert [(row["annotators"], row["flags"]["straight_lining"]) for row in rows] == [(1, 1)]


def test_the_queries_do_not_grow_with_the_people() -> None:
    campaign = roomy()
    a_rater(campaign, 2, seconds=60, acceptable=4, helpful=70)
    client = a_manager(campaign)
    address = f"/console/c/{campaign.slug}/people/"

    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        counts.append(len(caught))
        a_rater(campaign, 2, seconds=60, acceptable=4, helpful=70)
    assert counts[0] == counts[1]


def a_manager(campaign: Campaign) -> Client:
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    client = Client()
    client.force_login(user)
    return client


def test_the_pages_are_the_managers_alone() -> None:
    campaign = make_open_campaign()
    stranger = Client()
    stranger.force_login(make_user())

    for page in ("practice", "people"):
        assert stranger.get(f"/console/c/{campaign.slug}/{page}/").status_code == 404


def test_limits_questions_and_items_are_set_in_the_console() -> None:
    campaign = make_campaign(languages=["en", "es"])
    make_criterion(campaign, "acceptable")
    client, address = a_manager(campaign), f"/console/c/{campaign.slug}/practice/"
    client.post(address, {"part": "limits", "max_minutes_per_day": "45", "attention_every": "10"})
    question = {"part": "question", "language": "en", "question": "Ready?", "options": "No\n*Yes"}
    assert client.post(address, question).status_code == 302
    assert client.post(address, {"part": "attention", "expect-acceptable": "2"}).status_code == 302

    campaign.refresh_from_db()
    assert (campaign.max_minutes_per_day, campaign.attention_every) == (45, 10)
    assert campaign.comprehension[0]["options"] == ["No", "Yes"]
    assert campaign.comprehension[0]["answer"] == 1
    assert campaign.prompts.filter(purpose="attention").count() == 2
    assert "Ready?" in client.get(address).content.decode()

    client.post(address, {"part": "remove", "place": "0"})
    campaign.refresh_from_db()
    assert campaign.comprehension == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"part": "limits", "max_minutes_per_day": "0", "attention_every": "0"}, "Must be from 1"),
        ({"part": "question", "language": "en", "question": "Q?", "options": "one"}, "two to six options"),
        ({"part": "question", "language": "en", "question": "Q?", "options": "*a\n*b"}, "exactly one option"),
        ({"part": "attention"}, "at least one criterion"),
        ({"part": "attention", "expect-acceptable": "9"}, "less than or equal to 5"),
        ({"part": "remove", "place": "7"}, ""),
    ],
)
def test_what_cannot_be_is_refused_in_words(sent: dict, said: str) -> None:
    campaign = make_campaign()
    make_criterion(campaign, "acceptable")
    response = a_manager(campaign).post(f"/console/c/{campaign.slug}/practice/", sent, follow=True)

    assert said in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.comprehension == []
    assert not campaign.prompts.exists()


def test_a_closed_campaign_takes_no_more_items() -> None:
    campaign = make_open_campaign()
    close_campaign(campaign, now=timezone.now())
    response = a_manager(campaign).post(
        f"/console/c/{campaign.slug}/practice/", {"part": "attention", "expect-acceptable": "2"}
    )

    assert "rows can be added only" in response.content.decode()


def test_a_range_stands_for_itself() -> None:
    assert bounds_of([1, 2]) == (1, 2)
