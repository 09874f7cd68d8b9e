"""The rows of steerings in a browser: they come and go without a reload, and say what their kind needs."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from collector.models import Generator
from tests.builders import make_campaign, make_prompt, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[360, 1280])
def page(request, browser: Browser, live_server) -> Page:
    campaign = make_campaign("study")
    make_prompt(campaign, text="Is it fair?")
    client = Client()
    client.force_login(make_user("ada", is_superuser=True))
    context = browser.new_context(base_url=live_server.url, viewport={"width": request.param, "height": 800})
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto("/console/c/study/generators/")
    return page


def rows(page: Page) -> Locator:
    return page.get_by_role("group", name="Steering", exact=True)


def test_steerings_are_written_row_by_row(page: Page) -> None:
    page.get_by_label("Short name").fill("gen")
    page.get_by_label("Provider").select_option("scripted")
    first = rows(page).nth(0)
    first.get_by_label("How it is steered").select_option("persona")
    expect(first.get_by_text("Who is to answer")).to_be_visible()
    first.get_by_label("Label").fill("nurse")
    first.get_by_label("What is said").fill("A retired nurse.")
    page.get_by_role("button", name="Another steering").click()
    page.get_by_role("button", name="Another steering").click()
    expect(rows(page)).to_have_count(3)
    rows(page).nth(1).get_by_role("button", name="Take this steering away").click()
    second = rows(page).nth(1)
    second.get_by_label("How it is steered").select_option("unlike")
    second.get_by_label("Label").fill("unlike")
    expect(second.get_by_label("What is said")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Show what is sent").click()
    expect(page.get_by_text("Answer as this person would")).to_be_visible()
    page.get_by_role("button", name="Add the generator").click()

    expect(page.get_by_text("1 × 1 × 2 = 2")).to_be_visible()
    assert Generator.objects.get().steerings == [
        {"label": "nurse", "persona": "A retired nurse."},
        {"label": "unlike", "unlike": True},
    ]
    assert page.complaints == []


def test_enter_in_a_label_saves_and_takes_no_row_away(page: Page) -> None:
    page.get_by_label("Short name").fill("gen")
    page.get_by_label("Provider").select_option("scripted")
    row = rows(page).nth(0)
    row.get_by_label("What is said").fill("Be formal.")
    row.get_by_label("Label").fill("formal")
    row.get_by_label("Label").press("Enter")

    expect(page.get_by_text("formal")).to_be_visible()
    assert Generator.objects.get().steerings == [{"label": "formal", "system": "Be formal."}]
