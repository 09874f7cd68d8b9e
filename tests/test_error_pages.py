"""What a person sees when something cannot be done."""

import pytest
from django.test import Client

from tests.builders import make_open_campaign

pytestmark = pytest.mark.django_db


def test_an_unknown_address_is_said_in_words() -> None:
    response = Client().get("/no/such/page/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_a_form_without_its_token_is_refused_in_words() -> None:
    campaign = make_open_campaign()
    response = Client(enforce_csrf_checks=True).post(f"/c/{campaign.slug}/consent/", {"agree": "1"})

    assert response.status_code == 403
    assert "send it once more" in response.content.decode()


def test_guessing_withdrawal_codes_is_slowed_down() -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    responses = [client.post("/my-data/", {"code": f"AAAAA-{n}"}) for n in range(11)]

    assert [response.status_code for response in responses] == [400] * 10 + [429]
    assert responses[-1]["Retry-After"] == "60"
