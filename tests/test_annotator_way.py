"""An annotator joins, agrees, says who they are, rates, and is done."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.entry import make_token
from annotations.models import (
    Annotator,
    Ballot,
    Consent,
    Identity,
    Rating,
    Scope,
    Seat,
    Tombstone,
    ValueProfile,
)
from tests.builders import make_consent, make_open_campaign
from tests.people import Person

pytestmark = pytest.mark.django_db


def test_the_whole_way_ends_with_a_code() -> None:
    campaign = make_open_campaign(prompts=2, strata=[], wildcard_seats=1)
    person = Person(campaign)

    person.join().agree().skip_profile()
    while person.is_rating:
        person.rate(acceptable=4, helpful=70)

    assert person.response.redirect_chain[-1][0] == f"/c/{campaign.slug}/done/"
    assert "completion code" in person.text
    assert Rating.objects.filter(ballot__is_current=True).count() == 2 * 2 * 2
    assert person.annotator.state == Annotator.State.DONE


def test_who_never_had_a_seat_is_not_done() -> None:
    campaign = make_open_campaign(prompts=1, strata=[], wildcard_seats=1)
    Person(campaign).join().agree().skip_profile().rate(acceptable=4, helpful=70)
    late = Person(campaign).join().agree().skip_profile()

    assert late.annotator.state == Annotator.State.ENROLLED
    assert "Every seat for you is taken" in late.text


def test_opening_the_pages_stores_no_row() -> None:
    campaign = make_open_campaign()
    client = Client()

    client.get(f"/join/{campaign.slug}/", {"PROLIFIC_PID": "5f00d5f00d5f00d5f00d5f00"}, follow=True)
    client.get(f"/c/{campaign.slug}/rate/", follow=True)

    assert not Annotator.objects.exists()
    assert not Seat.objects.exists()


def test_a_plain_link_leaves_not_even_a_session() -> None:
    campaign = make_open_campaign()
    Client().get(f"/join/{campaign.slug}/", follow=True)

    assert not Session.objects.exists()


def test_after_entry_the_address_is_clean_and_the_session_new() -> None:
    campaign = make_open_campaign()
    person = Person(campaign)
    person.join(PROLIFIC_PID="secret-platform-id")
    before = person.client.cookies["empanel"].value
    person.agree()

    assert "secret-platform-id" not in person.response.request["QUERY_STRING"]
    assert person.client.cookies["empanel"].value != before
    assert "secret-platform-id" not in str(list(Identity.objects.values()))


def test_an_unverified_id_is_flagged() -> None:
    person = Person(make_open_campaign()).join(PROLIFIC_PID="abc").agree()

    assert person.annotator.flags == ["id_unverified"]


def test_an_unverified_id_opens_nobody_elses_session() -> None:
    campaign = make_open_campaign()
    Person(campaign).join(PROLIFIC_PID="abc").agree()
    stranger = Person(campaign).join(PROLIFIC_PID="abc")

    assert "already taken part" in stranger.text
    assert Annotator.objects.count() == 1


def test_a_signed_token_resumes_on_another_device() -> None:
    campaign = make_open_campaign()
    token = make_token(campaign, "panel-7")
    Person(campaign).join(token=token).agree()
    elsewhere = Person(campaign).join(token=token)

    assert elsewhere.response.redirect_chain[-1][0] == f"/c/{campaign.slug}/profile/"
    assert Annotator.objects.get().source == Annotator.Source.PANEL


@pytest.mark.parametrize("forge", [lambda t: t[:-2] + "xx", lambda t: "nonsense", lambda t: t + "a"])
def test_a_forged_token_is_refused(forge) -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join(token=forge(make_token(campaign, "panel-7")))

    assert person.response.status_code == 403
    assert "not valid" in person.text


def test_a_token_of_another_campaign_is_refused() -> None:
    token = make_token(make_open_campaign(), "panel-7")

    assert Person(make_open_campaign()).join(token=token).response.status_code == 403


def test_nobody_takes_part_without_the_first_box() -> None:
    person = Person(make_open_campaign()).join().agree(scopes=[Scope.RELEASE_RATINGS])

    assert person.response.status_code == 400
    assert not Annotator.objects.exists()


def test_consent_keeps_each_scope_apart() -> None:
    Person(make_open_campaign()).join().agree(scopes=[Scope.TAKE_PART, Scope.RELEASE_RATINGS])

    assert Consent.objects.get().scopes == ["take_part", "release_ratings"]


def test_a_new_consent_version_asks_again() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join().agree().skip_profile()
    make_consent(campaign, version=2)
    person.get("rate/")

    assert person.response.redirect_chain[-1][0] == f"/c/{campaign.slug}/consent/"
    person.agree()
    assert [consent.document.version for consent in Consent.objects.order_by("pk")] == [1, 2]


def test_the_profile_seats_the_person_in_their_stratum() -> None:
    person = Person(make_open_campaign()).join().agree()
    person.profile({"core-demographics.age_band": "55+", "core-demographics.gender": "woman"})

    assert person.annotator.stratum.label == "55+ / woman"
    assert Seat.objects.get().stratum.label == "55+ / woman"


def test_declining_is_kept_apart_from_not_reaching() -> None:
    person = Person(make_open_campaign()).join().agree()
    person.profile({"core-demographics.age_band": "prefer_not_to_say"})
    answers = ValueProfile.objects.get().answers["core-demographics"]["answers"]

    assert answers["age_band"] == {"missing": "declined"}
    assert answers["gender"] == {"missing": "not_reached"}
    assert person.annotator.stratum is None


def test_a_forged_profile_answer_is_refused_and_the_rest_is_still_there() -> None:
    person = Person(make_open_campaign()).join().agree()
    person.profile({"core-demographics.age_band": "12", "ai-prefs-8.safety": "70"})

    assert person.response.status_code == 400
    assert not ValueProfile.objects.exists()
    assert 'name="ai-prefs-8.safety" value="70" checked' in person.text


def test_a_ballot_sent_twice_is_stored_once() -> None:
    person = Person(make_open_campaign()).join().agree().skip_profile()
    form = person.ballot(acceptable=4, helpful=70)
    person.send(form)
    person.send(form | {"r-1-acceptable": "1"})

    assert Ballot.objects.count() == 1
    assert Rating.objects.filter(criterion__name="acceptable", position=1).get().value == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("r-1-acceptable", "6"),
        ("r-1-acceptable", "2.5"),
        ("r-1-helpful", "-1"),
        ("r-1-helpful", "nan"),
        ("r-1-helpful", "many"),
        ("r-9-helpful", "5"),
        ("r-1-unknown", "5"),
        ("r-1-acceptable", ""),
    ],
)
def test_a_bad_ballot_is_refused_whole(field: str, value: str) -> None:
    person = Person(make_open_campaign()).join().agree().skip_profile()
    person.send(person.ballot(acceptable=4, helpful=70) | {field: value})

    assert person.response.status_code == 400
    assert "Your answers are still here" in person.text
    assert not Rating.objects.exists()


def test_nobody_sends_a_ballot_for_a_foreign_seat() -> None:
    campaign = make_open_campaign()
    owner = Person(campaign).join().agree().skip_profile()
    stranger = Person(campaign).join().agree().skip_profile()
    stranger.send(owner.ballot(acceptable=1, helpful=1))

    assert stranger.response.status_code == 404
    assert not Rating.objects.exists()


def test_a_late_ballot_is_kept() -> None:
    person = Person(make_open_campaign()).join().agree().skip_profile()
    form = person.ballot(acceptable=4, helpful=70)
    Seat.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    person.send(form)

    assert Ballot.objects.count() == 1
    assert person.response.status_code == 200


def test_a_ballot_after_closing_is_refused_in_words(django_capture_on_commit_callbacks) -> None:
    from collector.lifecycle import close_campaign

    campaign = make_open_campaign()
    person = Person(campaign).join().agree().skip_profile()
    form = person.ballot(acceptable=4, helpful=70)
    close_campaign(campaign, now=timezone.now())
    person.send(form)

    assert person.response.status_code == 409
    assert "This campaign is closed" in person.text
    assert not Rating.objects.exists()


def test_skipping_costs_nothing_and_shows_another_prompt() -> None:
    person = Person(make_open_campaign()).join().agree().skip_profile()
    first = person.nonce
    person.skip()

    assert person.is_rating
    assert person.nonce != first
    assert Seat.objects.get(nonce=first).void_reason == Seat.VoidReason.SKIPPED


def test_coming_back_shows_the_same_seat() -> None:
    person = Person(make_open_campaign()).join().agree().skip_profile()
    first = person.nonce
    person.get("rate/")

    assert person.nonce == first
    assert Seat.objects.count() == 1


def test_the_page_names_no_model_and_no_stratum() -> None:
    person = Person(make_open_campaign()).join().agree()
    person.profile({"core-demographics.age_band": "55+", "core-demographics.gender": "woman"})

    for secret in ("generator-a", "generator-b", "scripted", "55+"):
        assert secret not in person.text


def test_a_draft_does_not_exist_for_annotators() -> None:
    from tests.builders import make_campaign

    assert Client().get(f"/join/{make_campaign().slug}/").status_code == 404


def test_state_changes_by_post_only() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join().agree().skip_profile()

    for path in ("rate/next/", "rate/send/", "rate/skip/"):
        assert person.client.get(f"/c/{campaign.slug}/{path}").status_code == 405


def test_withdrawing_erases_and_frees_the_seats() -> None:
    campaign = make_open_campaign(strata=[], wildcard_seats=1, prompts=1)
    person = Person(campaign).join(PROLIFIC_PID="abc").agree()
    person.profile({"free-text-values.self_description": "I keep bees."}).rate(acceptable=4, helpful=70)
    person.withdraw()

    assert "You have withdrawn" in person.text
    assert not Rating.objects.exists()
    assert not ValueProfile.objects.exists()
    assert not Identity.objects.exists()
    assert Tombstone.objects.count() == 1
    assert Person(campaign).join().agree().skip_profile().is_rating


def test_a_withdrawn_person_cannot_enrol_again_silently() -> None:
    campaign = make_open_campaign()
    Person(campaign).join(PROLIFIC_PID="abc").agree().withdraw()
    again = Person(campaign).join(PROLIFIC_PID="abc").agree()

    assert "You have withdrawn" in again.text
    assert Annotator.objects.count() == 1


def test_the_withdrawal_code_works_from_another_device() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join().agree().skip_profile()
    code = person.client.session["withdrawal_codes"][campaign.slug]
    elsewhere = Client()
    elsewhere.post(f"/c/{campaign.slug}/withdraw/", {"confirm": "1", "code": code.lower()})

    assert person.annotator.is_withdrawn


def test_a_wrong_code_withdraws_nobody() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join().agree()
    response = Client().post(f"/c/{campaign.slug}/withdraw/", {"confirm": "1", "code": "AAAAA-BBBBB"})

    assert response.status_code == 400
    assert not person.annotator.is_withdrawn


def test_my_data_shows_and_exports_what_is_kept() -> None:
    person = Person(make_open_campaign()).join().agree()
    person.profile({"core-demographics.age_band": "55+", "free-text-values.self_description": "I keep bees."})
    person.rate(acceptable=4, helpful=70)
    page = person.client.get("/my-data/").content.decode()
    export = person.client.post("/my-data/export/").json()

    assert "I keep bees." in page
    assert "4 ratings" in page
    assert len(export["campaigns"][0]["ratings"]) == 4
    assert export["campaigns"][0]["profiles"][0]["attributes"] == {"age_band": "55+"}


def test_my_data_knows_no_stranger() -> None:
    Person(make_open_campaign()).join().agree().skip_profile().rate(acceptable=4, helpful=70)

    assert Client().post("/my-data/export/").json() == {"campaigns": []}


@pytest.mark.parametrize("asked", ["ballot", "next"])
def test_queries_do_not_grow_with_the_campaign(asked: str) -> None:
    counts = {queries_of(asked, prompts) for prompts in (5, 40)}

    assert len(counts) == 1


def queries_of(page: str, prompts: int) -> int:
    person = Person(make_open_campaign(prompts=prompts)).join().agree().skip_profile()
    person.rate(acceptable=4, helpful=70)
    form = person.ballot(acceptable=4, helpful=70)
    address = f"/c/{person.campaign.slug}/rate/"
    with CaptureQueriesContext(connection) as queries:
        person.client.post(f"{address}send/", form) if page == "ballot" else person.client.get(address)
    return len(queries)
