"""The rating page used in earnest: by keys, without JavaScript, interrupted, hurried, under attack."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import HOSTILE, OPEN
from tests.browser.ways import answer, close, criteria, enrol, new_visitor
from tests.released import Researcher

pytestmark = pytest.mark.slow


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def visit(stage, browser: Browser, complaints: list[str]):
    """A function that enrols somebody in a campaign and shows them their first ballot."""
    pages: list[Page] = []

    def enrolled(slug: str, **options) -> Page:
        pages.append(new_visitor(browser, stage.address, complaints, locale="en", **options))
        list(enrol(pages[-1], slug))
        return pages[-1]

    yield enrolled
    for page in pages:
        close(page)


def filled(stage, slug: str = OPEN) -> int:
    """How many ballots the campaign has, as the API tells."""
    rows = Researcher(stage.address, stage.token).get(f"campaigns/{slug}/progress/")["strata"]
    return sum(row["filled"] for row in rows)


def nonce(page: Page) -> str:
    return page.locator('#ballot [name="form_nonce"]').get_attribute("value")


def wait_for_next(page: Page, before: str) -> None:
    expect(page.locator('#ballot [name="form_nonce"]')).not_to_have_value(before)


def test_a_ballot_by_keys_alone(stage, visit, complaints) -> None:
    page, before = visit(OPEN), filled(stage)
    shown = nonce(page)
    for _ in criteria(page):
        page.keyboard.press("4")
    page.keyboard.press("Enter")
    wait_for_next(page, shown)

    assert filled(stage) == before + 1
    assert complaints == []


def test_tab_and_arrows_alone_answer_too(visit) -> None:
    page = visit(OPEN)
    page.locator(".criterion input").first.focus()
    for _ in criteria(page):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        if not page.evaluate("document.activeElement.closest('.criterion')"):
            page.keyboard.press("Tab")  # past "As plain text"

    expect(page.locator("[data-count]")).to_have_text("12 of 12 answered")


def test_a_ballot_without_javascript(stage, visit) -> None:
    page, before = visit(OPEN, java_script_enabled=False), filled(stage)
    shown = nonce(page)
    for question in criteria(page):
        question.locator("label.step, label.option").nth(1).click()
    page.get_by_role("button", name="Send").click()
    wait_for_next(page, shown)

    assert filled(stage) == before + 1


def test_answers_are_still_there_after_a_reload(visit, complaints) -> None:
    page = visit(OPEN)
    answer(page, criteria(page)[:5])
    given = page.evaluate("Object.keys(localStorage).map(key => JSON.parse(localStorage[key]).answers)")
    page.reload()

    expect(page.get_by_text("Your answers from before are still here.")).to_be_visible()
    expect(page.locator("[data-count]")).to_have_text("5 of 12 answered")
    assert [len(answers) for answers in given] == [5]
    assert complaints == []


def test_a_double_click_on_send_stores_one_ballot(stage, visit) -> None:
    page, before = visit(OPEN), filled(stage)
    shown = nonce(page)
    answer(page, criteria(page))
    page.locator("[data-send]").dblclick()
    wait_for_next(page, shown)

    assert filled(stage) == before + 1


def test_hostile_responses_are_only_text(visit, complaints) -> None:
    page = visit(HOSTILE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    title = page.title()
    page.reload()
    made = "script, img, svg, style, form, input, iframe, [onerror], [onload], [style], a:not([href^='http'])"

    assert page.locator(f":is({', '.join(f'.reading {what}' for what in made.split(', '))})").count() == 0
    expect(page.locator("#ballot .sheet")).to_have_count(4)
    assert page.title() == title != "run"
    assert not any("example.org" in url for url in asked)
    assert complaints == []


def test_a_page_in_use_holds_its_seat_and_one_left_alone_does_not(visit, complaints) -> None:
    page, beats = visit(OPEN), []
    page.on("request", lambda request: beats.append(request.url) if "/rate/hold/" in request.url else None)
    page.clock.install()
    page.reload()
    page.mouse.move(40, 40)
    with page.expect_response("**/rate/hold/") as beat:
        page.clock.run_for("10:00")
    assert beat.value.status == 204

    page.clock.run_for("30:00")
    assert len(beats) == 1
    assert complaints == []
