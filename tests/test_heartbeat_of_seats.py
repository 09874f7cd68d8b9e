"""A page that is in use keeps its seat; one that is left alone loses it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.assignment import expire_seats
from annotations.models import Seat
from tests.builders import make_open_campaign
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return Person(make_open_campaign(lease_minutes=30)).join().agree().skip_profile()


def beat(person, nonce=None):
    address = f"/c/{person.campaign.slug}/rate/hold/"
    return person.client.post(address, {"form_nonce": nonce or person.nonce}).status_code


def test_a_heartbeat_holds_the_seat_from_now_on(person):
    seat = Seat.objects.filter(nonce=person.nonce)
    seat.update(held_until=timezone.now() + timedelta(minutes=1))

    assert beat(person) == 204
    assert seat.get().held_until > timezone.now() + timedelta(minutes=29)


def test_a_heartbeat_brings_no_lost_seat_back(person):
    expire_seats(timezone.now() + timedelta(hours=1))

    assert beat(person) == 410
    assert Seat.objects.get(nonce=person.nonce).state == "void"


def test_nobody_holds_another_persons_seat(person):
    other = Person(person.campaign).join().agree().skip_profile()

    assert beat(other, person.nonce) == 404


def test_the_page_says_how_often_and_where(person):
    assert 'data-hold-seconds="600"' in person.text
    assert f'data-hold-url="/c/{person.campaign.slug}/rate/hold/"' in person.text
