"""The whole way in a browser: a manager, eight annotators of four strata, and a researcher."""

import re
from pathlib import Path

import pytest
from datasets import load_dataset
from playwright.sync_api import Browser, Page, expect

from tests.released import Researcher, check_welfare
from tests.small_demo import PEOPLE, PROMPTS, opinion, write_small_demo

pytestmark = pytest.mark.slow


def test_from_prompts_to_a_release_in_a_browser(start_empanel, browser: Browser, tmp_path: Path) -> None:
    empanel = start_empanel().wait_ready()
    empanel.manage("import_campaign", str(write_small_demo(tmp_path / "small")), "--slug", "small")
    password = re.search(r"password\s+(\S+)", empanel.log)[1]
    errors: list[str] = []

    manager = new_page(browser, empanel.address, errors)
    manager.goto("/console/sign-in/")
    manager.get_by_label("Username").fill("manager")
    manager.get_by_label("Password").fill(password)
    manager.get_by_role("button", name="Sign in").click()
    manager.goto("/console/c/small/")
    manager.get_by_role("button", name=re.compile("Generate")).click()
    empanel.wait_for(lambda: "16 of 16" in text_of(manager), "all candidates are there", 300)
    manager.goto("/console/c/small/")
    manager.get_by_role("button", name="Open to annotators").click()

    people = [take_part(browser, empanel.address, age, gender, errors) for age, gender in PEOPLE]
    empanel.wait_for(
        lambda: f"{len(PEOPLE) * PROMPTS} of {len(PEOPLE) * PROMPTS}" in text_of(manager), "full", 30
    )
    people[0].goto("/c/small/withdraw/")
    people[0].get_by_role("button", name="Withdraw").click()
    expect(people[0].get_by_role("heading", name="You have withdrawn")).to_be_visible()

    researcher = Researcher(
        empanel.address, empanel.manage("create_token", "manager").strip().splitlines()[-1]
    )
    folder = researcher.download(researcher.cut("small", "1.0.0"), tmp_path / "release")
    ratings = load_dataset(str(folder), "ratings", split="train", cache_dir=str(tmp_path / "cache"))

    assert ratings.num_rows == (len(PEOPLE) - 1) * PROMPTS * 4 * 3
    assert check_welfare(folder) == PROMPTS * 4 * 3
    assert errors == []


def take_part(browser: Browser, address: str, age: str, gender: str, errors: list[str]) -> Page:
    page = new_page(browser, address, errors)
    page.goto("/join/small/")
    for label in ("want to take part", "My ratings may be published", "Coarse answers about me"):
        page.get_by_label(re.compile(label)).check()
    page.get_by_role("button", name="I agree").click()
    choose(page, "core-demographics.age_band", age)
    choose(page, "core-demographics.gender", gender)
    page.get_by_role("button", name="Continue").click()
    for _ in range(PROMPTS):
        page.wait_for_selector("#ballot")
        rate(page, age, gender)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    return page


def rate(page: Page, age: str, gender: str) -> None:
    nonce = page.locator('#ballot [name="form_nonce"]').get_attribute("value")
    for at in range(1, 5):
        for criterion in ("acceptable", "helpful"):
            value = f"{opinion(age, gender, at, criterion):g}"
            choose(page, f"r-{at}-{criterion}", value)
        slider = page.locator(f'[data-name="r-{at}-speaks_to_my_values"] input[type=range]')
        slider.fill(f"{opinion(age, gender, at, 'speaks_to_my_values'):g}")
    page.get_by_role("button", name="Send").click()
    page.wait_for_function(
        "nonce => document.querySelector('#ballot [name=form_nonce]')?.value !== nonce", arg=nonce
    )


def choose(page: Page, name: str, value: str) -> None:
    """As a finger does: on the words, which are the target; the radio button itself is drawn by them."""
    page.locator(f'label:has([name="{name}"][value="{value}"])').click()


def new_page(browser: Browser, address: str, errors: list[str]) -> Page:
    """A browser of its own; what its console complains of, a refused script included, is kept."""
    page = browser.new_context(base_url=address).new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


def text_of(page: Page) -> str:
    page.wait_for_timeout(200)
    return page.locator("body").inner_text()
