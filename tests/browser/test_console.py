"""The console and the admin in a browser: a campaign from nothing by clicks, and nothing refused."""

import json
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from collector.models import Campaign
from tests.builders import make_campaign, make_open_campaign, make_prompt, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "long enough for a test"


@pytest.fixture(params=[360, 1280])
def manager(request, browser: Browser, live_server) -> Page:
    make_user("ada", is_staff=True, is_superuser=True)
    size = {"width": request.param, "height": 800}
    page = browser.new_context(base_url=live_server.url, viewport=size).new_page()
    page.complaints = []
    page.on("console", lambda message: complain(page, message.type, message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def complain(page: Page, kind: str, text: str) -> None:
    if kind == "error" and "the server responded with a status of 4" not in text:
        page.complaints.append(text)


def go(page: Page, name: str) -> None:
    link = page.get_by_role("navigation", name="This campaign").get_by_role("link", name=name, exact=True)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")
    fits(page)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_a_campaign_from_nothing_by_clicks(manager: Page, tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text("".join(json.dumps({"text": f"Question {n}?"}) + "\n" for n in range(5)))
    manager.get_by_role("link", name="Start the first campaign").click()
    manager.get_by_label("Title").fill("On work")
    manager.get_by_label("Short name").fill("work")
    for level in ("18 to 34", "55 or older", "Woman", "Man"):
        manager.get_by_label(level, exact=True).check()
    manager.get_by_role("button", name="Make the campaign").click()
    go(manager, "Prompts")
    manager.get_by_label("CSV, JSONL, JSON or Parquet").set_input_files(file)
    manager.get_by_role("button", name="Add").click()
    expect(manager.get_by_text("5 prompts were added.")).to_be_visible()
    go(manager, "Generators")
    manager.get_by_label("Short name").fill("plain")
    manager.get_by_label("Provider").select_option("scripted")
    manager.get_by_role("button", name="Add the generator").click()
    go(manager, "Criteria")
    manager.get_by_label("Short name").fill("good")
    manager.get_by_label("Question").fill("Is it good?")
    manager.get_by_role("button", name="Add the criterion").click()
    go(manager, "Overview")
    expect(manager.get_by_text("A jury of 5 seats in 4 strata")).to_be_visible()
    manager.get_by_role("button", name="Open to annotators").click()

    expect(manager.get_by_text("The campaign is open")).to_be_visible()
    assert Campaign.objects.get(slug="work").is_open
    assert manager.complaints == []


def test_progress_follows_without_reloading(manager: Page) -> None:
    campaign = make_open_campaign("study", prompts=2)
    manager.goto("/console/c/study/")
    campaign.generators.create(name="late", provider="scripted")

    expect(manager.get_by_text("4 of 6 done, 2 left, 0 failed.")).to_be_visible(timeout=8000)
    assert manager.complaints == []


def test_the_forecast_follows_what_is_typed(manager: Page) -> None:
    campaign = make_campaign("work", strata=[], seats_per_stratum=3)
    make_prompt(campaign)
    manager.goto("/console/c/work/jury/")
    expect(manager.get_by_text("3 seats are open")).to_be_visible()

    manager.get_by_label("Seats for anyone").fill("40")

    expect(manager.get_by_text("40 seats are open: 40 people fill them")).to_be_visible(timeout=5000)
    assert Campaign.objects.get(slug="work").wildcard_seats is None
    assert manager.complaints == []


def test_no_page_of_a_campaign_breaks_the_policy_or_the_screen(manager: Page) -> None:
    make_open_campaign("study")
    for page in ("", "settings/", "jury/", "prompts/", "generators/", "criteria/", "consent/", "join-link/"):
        manager.goto(f"/console/c/study/{page}")
        fits(manager)

    assert manager.complaints == []


def test_the_admin_works_under_its_policy(manager: Page) -> None:
    make_open_campaign("study")
    for model in (Campaign, *list(admin.site._registry)[:4]):
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        manager.goto(reverse(f"admin:{name}_changelist"))
    manager.goto(reverse("admin:collector_campaign_change", args=[Campaign.objects.get().pk]))
    expect(manager.get_by_role("button", name="Save", exact=True)).to_be_visible()

    assert manager.complaints == []
