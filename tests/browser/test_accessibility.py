"""Every page against axe's rules: in English and Arabic, light and dark, on a phone and a desk."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.ways import annotator_way, close, console_way, new_visitor

pytestmark = pytest.mark.slow
WIDTHS, SCHEMES = (360, 1280), ("light", "dark")
# What colours and widths can change; everything else is checked once a page.
RULES = ["color-contrast", "target-size", "scrollable-region-focusable"]
VISUAL = {"resultTypes": ["violations"], "runOnly": RULES}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("way", [annotator_way, console_way])
def test_no_page_keeps_anybody_out(stage, browser: Browser, way, language: str) -> None:
    complaints: list[str] = []
    page = new_visitor(browser, stage.address, complaints, locale=language)
    violations = list(check_each(page, way(page)))
    direction = page.locator("html").get_attribute("dir")
    close(page)

    assert violations == []
    assert complaints == []
    assert direction == ("rtl" if language == "ar" else "ltr")


def check_each(page: Page, way: Iterator[str]) -> Iterator[str]:
    for name in way:
        options = None
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                yield f"{name} at {width} px: wider than the screen"
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                results = run_axe(page, options)
                options = VISUAL
                yield from (f"{name} at {width} px, {scheme}: {words}" for words in results)


def run_axe(page: Page, options: dict | None) -> list[str]:
    """What axe finds, in a line each; it is put into the page once."""
    if options is None:
        found = Axe().run(page).response
    else:
        found = page.evaluate("options => axe.run(options)", options)
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
