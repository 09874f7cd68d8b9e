"""Invitation codes: random, kept as hashes, good for one person and one time."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from annotations.enrolment import enrol, withdraw
from annotations.entry import Entry
from annotations.invitations import BadCodes, make_code, make_invitations, take_invitations
from annotations.models import Annotator, ConsentDocument, InvitationCode, Scope
from tests.builders import make_open_campaign
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_open_campaign(recruitment={"ways": ["invitation"]})


def test_a_code_is_128_random_bits() -> None:
    codes = {make_code() for _ in range(1000)}

    assert len(codes) == 1000
    assert all(re.fullmatch(r"([A-Z2-7]{5}-){5}[A-Z2-7]", code) for code in codes)  # 26 letters of 5 bits


def test_the_database_holds_no_code(campaign) -> None:
    (made,) = make_invitations(campaign, ["member 1"])
    kept = str(list(InvitationCode.objects.values()))

    assert made.code not in kept
    assert made.code.replace("-", "") not in kept
    assert InvitationCode.objects.get().reference == "member 1"


def test_a_code_lets_one_person_in_once(campaign) -> None:
    (made,) = make_invitations(campaign, ["member 1"])
    owner = Person(campaign).join(code=made.code).agree().skip_profile()
    second = Person(campaign).join(code=made.code).agree()

    assert owner.annotator.source == Annotator.Source.INVITATION
    assert owner.annotator.invitationcode.reference == "member 1"
    assert "already taken part" in Person(campaign).join(code=made.code).text
    assert second.response.status_code == 409
    assert Annotator.objects.count() == 1
    assert owner.join(code=made.code).is_rating  # the same browser goes on


def test_opening_the_link_does_not_use_the_code_up(campaign) -> None:
    (made,) = make_invitations(campaign, [""])
    Person(campaign).join(code=made.code)

    assert InvitationCode.objects.get().used_at is None
    assert Person(campaign).join(code=made.code).agree().annotator


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_a_code_may_be_typed_in_any_way(campaign, typed) -> None:
    (made,) = make_invitations(campaign, [""])
    person = Person(campaign)
    person.response = person.client.post(f"/join/{campaign.slug}/", {"code": typed(made.code)}, follow=True)

    assert person.agree().annotator


def test_the_bare_link_asks_for_the_code(campaign) -> None:
    person = Person(campaign).join()
    assert 'name="code"' in person.text
    person.response = person.client.post(f"/join/{campaign.slug}/", {"code": "WRONG"})

    assert person.response.status_code == 403
    assert "not known" in person.text


@pytest.mark.parametrize("code", ["", "x", "a" * 300, "\0", "é" * 26])
def test_a_made_up_code_is_refused(campaign, code: str) -> None:
    assert Person(campaign).join(code=code).response.status_code == 403


def test_a_code_of_another_campaign_is_refused(campaign) -> None:
    (made,) = make_invitations(make_open_campaign(), [""])

    assert Person(campaign).join(code=made.code).response.status_code == 403


def test_a_code_taken_back_before_consent_lets_nobody_in(campaign) -> None:
    (made,) = make_invitations(campaign, [""])
    person = Person(campaign).join(code=made.code)
    InvitationCode.objects.all().delete()

    assert person.agree().response.status_code == 409
    assert not Annotator.objects.exists()


def test_the_database_lets_one_of_two_in_whatever_the_pages_say(campaign) -> None:
    """The last word is the conditional update: two entries under different names with one ticket."""
    make_invitations(campaign, [""])
    ticket = InvitationCode.objects.get().code_hash
    document = ConsentDocument.objects.get(campaign=campaign)
    entries = [Entry("invitation", name * 64, is_verified=True, ticket=ticket) for name in "ab"]
    enrol(campaign, entries[0], document, list(Scope), language="en")

    with pytest.raises(Exception, match="already"):
        enrol(campaign, entries[1], document, list(Scope), language="en")
    assert Annotator.objects.count() == 1
    assert not connection.needs_rollback


def test_withdrawing_cuts_the_reference_and_the_code_stays_used(campaign) -> None:
    (made,) = make_invitations(campaign, ["member 1"])
    person = Person(campaign).join(code=made.code).agree()
    withdraw(person.annotator, now=timezone.now())
    kept = InvitationCode.objects.get()

    assert (kept.annotator, kept.reference) == (None, "")
    assert kept.used_at
    assert "withdrawn" in Person(campaign).join(code=made.code).text


# --- codes brought along -----------------------------------------------------------------------------

GOOD = ["0f" * 16, "f1e2d3c4b5a697887766554433221100", "Qm9yZWRvbS1pcy1hLXZpcnR1ZQ"]


def test_codes_made_elsewhere_are_taken(campaign) -> None:
    file = io.StringIO("reference,code\n" + "\n".join(f"m{at},{code}" for at, code in enumerate(GOOD[1:])))

    assert take_invitations(campaign, file) == 2
    assert Person(campaign).join(code=GOOD[2]).agree().annotator.invitationcode.reference == "m1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nx", 'a column "code"'),
        ("", 'a column "code"'),
        ("code\n1234", "Line 2: the code is too easy"),
        ("code\n" + "0" * 64, "Line 2: the code is too easy"),
        ("code\n" + "1234567890" * 3, "Line 2: the code is too easy"),  # 30 digits: 99.7 bits
        (f"code\n{GOOD[1]}\n{GOOD[1]}", "Line 3: the code is there already"),
        (f"code\n{GOOD[1]}{'x' * 300}", "Line 2 is too long"),
    ],
)
def test_a_bad_list_is_refused_whole(campaign, text: str, said: str) -> None:
    with pytest.raises(BadCodes, match=said):
        take_invitations(campaign, io.StringIO(text))
    assert not InvitationCode.objects.exists()


def test_a_code_that_is_there_already_is_refused(campaign) -> None:
    take_invitations(campaign, io.StringIO(f"code\n{GOOD[1]}"))

    with pytest.raises(BadCodes, match="there already"):
        take_invitations(campaign, io.StringIO(f"code\n{GOOD[1]}"))


# --- the command -------------------------------------------------------------------------------------


def test_the_command_writes_codes_that_work(campaign, tmp_path: Path) -> None:
    (tmp_path / "people.txt").write_text("member 1\n\nmember 2\n")
    call_command(
        "make_invitations",
        campaign.slug,
        1,
        references=tmp_path / "people.txt",
        out=tmp_path / "codes.csv",
        site="https://ratings.example.org/",
    )
    rows = list(csv.DictReader(io.StringIO((tmp_path / "codes.csv").read_text())))

    assert [row["reference"] for row in rows] == ["member 1", "member 2", ""]
    assert rows[0]["link"] == f"https://ratings.example.org/join/{campaign.slug}/?code={rows[0]['code']}"
    assert Person(campaign).join(code=rows[2]["code"]).agree().annotator
    assert (tmp_path / "codes.csv").stat().st_mode & 0o777 == 0o600


def test_the_command_takes_codes(campaign, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(f"code\n{GOOD[1]}\n")
    call_command("make_invitations", campaign.slug, take=tmp_path / "codes.csv")
    assert InvitationCode.objects.count() == 1

    with pytest.raises(CommandError, match="there already"):
        call_command("make_invitations", campaign.slug, take=tmp_path / "codes.csv")


@pytest.mark.parametrize("slug", ["nowhere", None])
def test_the_command_refuses_what_makes_no_sense(campaign, slug) -> None:
    with pytest.raises(CommandError):
        call_command("make_invitations", slug or campaign.slug)
