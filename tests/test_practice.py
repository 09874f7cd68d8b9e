"""Practice, attention items, questions on the instructions, and a day's share."""

import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.assignment import next_seats
from annotations.audit import audit_juries
from annotations.daily_limits import rest_until
from annotations.models import Annotator, Ballot, Completion, Seat
from collector.intake import load_prompts
from collector.models import Prompt
from collector.tabular import IntakeError
from exports.rating_stream import current_ratings
from tests.builders import make_candidate, make_generator, make_open_campaign, make_prompt
from tests.people import Person

pytestmark = pytest.mark.django_db

QUESTIONS = [
    {
        "question": "Is there a right answer?",
        "options": ["Yes", "No, I say what I think"],
        "answer": 1,
        "explanation": "We want to know what you think.",
    }
]


def add(campaign, purpose: str, **fields) -> Prompt:
    prompt = make_prompt(campaign, purpose=purpose, **fields)
    generator = campaign.generators.filter(name="by-hand").first() or make_generator(
        campaign, "by-hand", provider="imported"
    )
    make_candidate(prompt, generator)
    return prompt


def begin(campaign) -> Person:
    return Person(campaign).join().agree().skip_profile()


def purposes(annotator: Annotator) -> list[str]:
    return list(annotator.seats.order_by("position").values_list("purpose", flat=True))


def test_practice_comes_first_and_is_explained() -> None:
    campaign = make_open_campaign(prompts=2)
    add(
        campaign,
        "training",
        expected={"acceptable": [4, 5], "helpful": 50},
        explanation="Say what **you** think.",
    )
    person = begin(campaign)
    assert "This one is for practice" in person.text

    person.rate(acceptable=4, helpful=70)
    assert "<strong>you</strong>" in person.text
    assert "Here is how it is meant." in person.text
    assert "as you said" in person.text

    person.response = person.client.post(f"/c/{campaign.slug}/rate/next/", follow=True)
    assert person.is_rating
    assert purposes(person.annotator) == ["training", "judged"]


def test_practice_is_explained_to_nobody_else_and_for_nothing_else() -> None:
    campaign = make_open_campaign(prompts=2)
    add(campaign, "training", explanation="A secret.")
    person = begin(campaign).rate(acceptable=4, helpful=70)
    nonce = person.annotator.seats.get(purpose="training").nonce
    other = begin(campaign)

    assert other.client.get(f"/c/{campaign.slug}/practice/{nonce}/").status_code == 404
    person.response = person.client.post(f"/c/{campaign.slug}/rate/next/", follow=True)
    judged = person.annotator.seats.get(purpose="judged").nonce
    assert person.client.get(f"/c/{campaign.slug}/practice/{judged}/").status_code == 404


def test_practice_takes_no_place_and_is_in_no_result() -> None:
    campaign = make_open_campaign(prompts=1, strata=[])
    add(campaign, "training")
    person = begin(campaign).rate(acceptable=4, helpful=70)
    person.response = person.client.post(f"/c/{campaign.slug}/rate/next/", follow=True)
    person.rate(acceptable=2, helpful=10)

    assert audit_juries(campaign) == []
    assert {row["value"] for row in current_ratings(campaign)} == {2, 10}
    assert Completion.objects.get().kind == Completion.Kind.COMPLETE


def test_who_only_practised_is_not_complete() -> None:
    campaign = make_open_campaign(prompts=1, strata=[])
    add(campaign, "training")
    filler = begin(campaign).rate(acceptable=4, helpful=70)
    filler.client.post(f"/c/{campaign.slug}/rate/next/", follow=True)
    late = begin(campaign).rate(acceptable=4, helpful=70)
    late.client.post(f"/c/{campaign.slug}/rate/next/", follow=True)

    assert Completion.objects.get(annotator=late.annotator).kind == Completion.Kind.SCREENED_OUT


def test_an_attention_item_comes_after_every_few_seats() -> None:
    campaign = make_open_campaign(prompts=5, strata=[], wildcard_seats=9, attention_every=2)
    for _ in range(2):
        add(campaign, "attention", expected={"acceptable": 1})
    person = begin(campaign)
    for _ in range(7):
        person.rate(acceptable=4, helpful=70)

    assert purposes(person.annotator) == [
        *("judged", "judged", "attention"),
        *("judged", "judged", "attention", "judged"),
    ]
    assert "attention" not in person.text


def test_an_attention_item_in_another_language_is_not_asked() -> None:
    campaign = make_open_campaign(prompts=3, strata=[], attention_every=1, languages=["en", "es"])
    add(campaign, "attention", language="es", expected={"acceptable": 1})
    person = begin(campaign).rate(acceptable=4, helpful=70).rate(acceptable=4, helpful=70)

    assert "attention" not in purposes(person.annotator)


def test_a_skipped_practice_does_not_come_again() -> None:
    campaign = make_open_campaign(prompts=1)
    add(campaign, "training")
    person = begin(campaign).skip()

    assert purposes(person.annotator) == ["training", "judged"]


def test_nobody_rates_before_the_questions_are_answered() -> None:
    campaign = make_open_campaign(comprehension=QUESTIONS)
    person = begin(campaign)
    assert "Is there a right answer?" in person.text
    assert not Seat.objects.exists()

    person._post("check/", {"q-0": "0"})
    assert person.response.status_code == 400
    assert "We want to know what you think." in person.text
    assert '<details class="help">' in person.text
    person._post("check/", {})
    assert '<details class="help" open>' in person.text
    person._post("rate/next/", {})
    assert not Seat.objects.exists()

    person._post("check/", {"q-0": "1"})
    person._post("rate/next/", {})
    assert person.is_rating
    assert person.annotator.check_tries == 3


def test_the_questions_are_asked_in_the_persons_language_where_there_are_some() -> None:
    spanish = QUESTIONS[0] | {"language": "es", "question": "¿Hay una respuesta correcta?"}
    campaign = make_open_campaign(comprehension=[*QUESTIONS, spanish], languages=["en", "es"])
    person = Person(campaign, accept_language="es").join().agree().skip_profile()

    assert "¿Hay una respuesta correcta?" in person.text
    assert "Is there a right answer?" not in person.text


def test_a_days_share_of_seats_ends_the_day_and_not_the_study() -> None:
    campaign = make_open_campaign(prompts=4, strata=[], wildcard_seats=5, max_seats_per_day=2)
    person = begin(campaign).rate(acceptable=4, helpful=70).rate(acceptable=4, helpful=70)
    assert "Enough for today" in person.text
    assert not Completion.objects.exists()

    now = timezone.now()
    assert next_seats(person.annotator, now=now) == []
    assert next_seats(person.annotator, now=now + timedelta(days=1, seconds=1))


def test_a_days_share_that_is_the_last_ends_the_study() -> None:
    campaign = make_open_campaign(prompts=1, strata=[], max_seats_per_day=1)
    begin(campaign).rate(acceptable=4, helpful=70)

    assert Completion.objects.get().kind == Completion.Kind.COMPLETE


def test_a_days_share_of_minutes_counts_active_ones() -> None:
    campaign = make_open_campaign(prompts=4, strata=[], wildcard_seats=5, max_minutes_per_day=10)
    person = begin(campaign).rate(acceptable=4, helpful=70)
    ballot = Ballot.objects.filter(seat__annotator=person.annotator)
    now = timezone.now()
    assert rest_until(person.annotator, now) is None

    ballot.update(seconds=5000, active_seconds=599)
    assert rest_until(person.annotator, now) is None
    ballot.update(active_seconds=600)
    assert rest_until(person.annotator, now) == ballot.get().submitted_at + timedelta(days=1)


def upload(campaign, **row) -> None:
    load_prompts(campaign, io.BytesIO(json.dumps({"text": "Please choose 2."} | row).encode()), "p.jsonl")


def test_practice_is_uploaded_with_the_prompts() -> None:
    campaign = make_open_campaign()
    upload(campaign, prompt_id="a", purpose="attention", expected='{"acceptable": 2}')
    upload(campaign, prompt_id="t", purpose="training", expected={"helpful": [0, 50]}, explanation="Why.")

    assert campaign.prompts.get(external_id="a").expected == {"acceptable": 2}
    assert campaign.prompts.get(external_id="t").explanation == "Why."


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"purpose": "quiz"}, '"purpose" "quiz" is none of'),
        ({"explanation": "Why."}, '"explanation" belongs to practice'),
        ({"expected": {"acceptable": 2}}, '"expected" belongs to practice'),
        ({"purpose": "attention", "expected": {}}, '"expected" says nothing'),
        ({"purpose": "attention", "expected": {"kind": 2}}, 'names "kind", which is none of the criteria'),
        ({"purpose": "attention", "expected": {"acceptable": 9}}, "is off the scale"),
        ({"purpose": "attention", "expected": {"acceptable": [3, 2]}}, "has neither a number nor"),
        ({"purpose": "attention", "expected": {"acceptable": True}}, "has neither a number nor"),
        ({"purpose": "attention", "expected": "[1]"}, "is not like"),
    ],
)
def test_bad_columns_are_refused_by_place(row: dict, said: str) -> None:
    campaign = make_open_campaign()
    before = campaign.prompts.count()
    with pytest.raises(IntakeError) as refused:
        upload(campaign, **row)

    assert "p.jsonl" in str(refused.value)
    assert said in str(refused.value)
    assert campaign.prompts.count() == before
