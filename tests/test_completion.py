"""Codes come from the server when the work has ended, one kind for each way it can end."""

import re

import pytest
from django.utils import timezone

from annotations.completion import finish, personal_code
from annotations.models import Annotator, Completion, Quota, Seat
from annotations.recruitment import is_return_allowed
from tests.builders import make_open_campaign
from tests.people import Person

pytestmark = pytest.mark.django_db
Kind = Completion.Kind
CODES = {"code_complete": "COMPLETE1", "code_partial": "PARTIAL2", "code_screened_out": "SCREENED3"}


def small_campaign(prompts: int = 2, **recruitment):
    return make_open_campaign(prompts=prompts, strata=[], wildcard_seats=1, recruitment=CODES | recruitment)


def at_work(campaign, **query: str) -> Person:
    return Person(campaign).join(**query).agree().skip_profile()


def code_on(person: Person) -> str:
    found = re.search(r'code-box"[^>]*>([^<]+)<', person.text)
    return found[1] if found else ""


def test_the_code_is_in_no_page_before_the_last_answer() -> None:
    person = at_work(small_campaign())
    seen = [person.text, person.rate(acceptable=4, helpful=70).text, person.get("done/").text]
    assert not [text for text in seen if "COMPLETE1" in text]
    person.rate(acceptable=4, helpful=70)

    assert code_on(person) == "COMPLETE1"
    assert Completion.objects.get().kind == Kind.COMPLETE


def test_the_end_cannot_be_asked_for() -> None:
    person = at_work(small_campaign())
    person.rate(acceptable=4, helpful=70).get("done/")

    assert person.is_rating
    assert not Completion.objects.exists()


def test_without_the_platforms_code_everybody_has_their_own() -> None:
    campaign = make_open_campaign(prompts=1, strata=[], wildcard_seats=2)
    codes = {code_on(at_work(campaign).rate(acceptable=4, helpful=70)) for _ in range(2)}

    assert len(codes) == 2
    assert all(re.fullmatch("[A-Z2-7]{8}", code) for code in codes)


def test_the_three_codes_of_one_person_differ() -> None:
    annotator = at_work(small_campaign()).annotator

    assert len({personal_code(annotator, kind) for kind in Kind}) == 3


def test_stopping_early_gives_its_own_code_and_the_seat_to_somebody_else() -> None:
    person = at_work(small_campaign()).rate(acceptable=4, helpful=70)
    assert "Stop here?" in person.get("stop/").text
    person._post("stop/", {})

    assert code_on(person) == "PARTIAL2"
    assert not Seat.objects.filter(state="held").exists()
    assert Quota.objects.filter(need__gt=0).count() == 1


def test_stopping_before_the_first_answer_gives_none() -> None:
    person = at_work(small_campaign())._post("stop/", {})

    assert code_on(person) == ""
    assert "there is no code" in person.text
    assert not Completion.objects.exists()


def test_who_goes_on_after_stopping_gets_the_better_code() -> None:
    campaign = small_campaign(prompts=3)
    person = at_work(campaign).rate(acceptable=4, helpful=70)
    person._post("stop/", {})._post("rate/next/", {})
    person.rate(acceptable=4, helpful=70)

    assert code_on(person) == "COMPLETE1"
    assert Completion.objects.count() == 1


def test_a_completion_gets_no_worse_and_stands_still_once_paid() -> None:
    annotator = at_work(small_campaign(prompts=1)).rate(acceptable=4, helpful=70).annotator
    Seat.objects.update(state="void")
    finish(annotator, now=timezone.now())
    assert Completion.objects.get().kind == Kind.COMPLETE
    Completion.objects.update(kind=Kind.PARTIAL, paid_at=timezone.now())
    Seat.objects.update(state="filled")
    finish(annotator, now=timezone.now())

    assert Completion.objects.get().kind == Kind.PARTIAL


def test_who_finds_no_seat_after_all_gets_a_code_for_their_time() -> None:
    campaign = small_campaign(prompts=1)
    late = Person(campaign).join().agree()
    Quota.objects.update(taken=1)
    late.skip_profile()

    assert "Every seat for you is taken" in late.text
    assert code_on(late) == "SCREENED3"
    assert late.annotator.state == Annotator.State.ENROLLED


def test_the_code_is_there_again_at_the_next_visit() -> None:
    campaign = small_campaign(prompts=1)
    person = at_work(campaign).rate(acceptable=4, helpful=70)

    assert code_on(person.join()) == "COMPLETE1"


# --- back to the platform ------------------------------------------------------------------------------


def test_prolifics_people_go_back_with_a_plain_link() -> None:
    person = at_work(small_campaign(prompts=1), PROLIFIC_PID="5f").rate(acceptable=4, helpful=70)

    assert 'href="https://app.prolific.com/submissions/complete?cc=COMPLETE1"' in person.text


def test_others_go_where_the_manager_said_if_the_operator_allows_it(settings) -> None:
    settings.RETURN_HOSTS = ["panel.example"]
    here = small_campaign(prompts=1, return_url="https://panel.example/done?c={code}&x=1")
    elsewhere = small_campaign(prompts=1, return_url="https://evil.example/?c={code}")

    assert (
        'href="https://panel.example/done?c=COMPLETE1&amp;x=1"'
        in at_work(here).rate(acceptable=4, helpful=70).text
    )
    away = at_work(elsewhere).rate(acceptable=4, helpful=70)
    assert "evil.example" not in away.text
    assert code_on(away) == "COMPLETE1"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://app.prolific.com/",
        "//app.prolific.com/",
        "https://app.prolific.com.evil.example/",
        "https://app.prolific.com@evil.example/",
        "https://evil.example/app.prolific.com",
        "https://evil.example#app.prolific.com",
        "https://evil.example\\@app.prolific.com/",
        "https://app.prolific.com:8443/",
        "https://user:pass@app.prolific.com/",
        "https://APP.PROLIFIC.COM.evil.example/",
        "javascript:alert(1)//app.prolific.com",
        "data:text/html,app.prolific.com",
        "https://app.prolific.com\n.evil.example/",
        "https://аpp.prolific.com/",  # a Cyrillic letter
        "https://[::1]/",
        "https://[app.prolific.com/",
        "/submissions/complete",
    ],
)
def test_nobody_is_sent_to_another_host(address: str) -> None:
    assert not is_return_allowed(address)


def test_the_allowed_one_is_allowed() -> None:
    assert is_return_allowed("https://app.prolific.com/submissions/complete?cc={code}")


# --- withdrawing ---------------------------------------------------------------------------------------


def test_who_withdraws_is_paid_for_what_they_did() -> None:
    person = at_work(small_campaign()).rate(acceptable=4, helpful=70).withdraw()

    assert "You have withdrawn" in person.text
    assert code_on(person) == "PARTIAL2"
    assert Completion.objects.get().kind == Kind.PARTIAL


def test_who_withdraws_before_doing_anything_gets_no_code() -> None:
    assert code_on(at_work(small_campaign()).withdraw()) == ""


def test_who_was_paid_and_withdraws_gets_no_second_code() -> None:
    person = at_work(small_campaign(prompts=1)).rate(acceptable=4, helpful=70)
    Completion.objects.update(paid_at=timezone.now())

    assert code_on(person.withdraw()) == ""
