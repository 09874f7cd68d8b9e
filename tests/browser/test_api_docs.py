"""The API's own documentation, as a browser shows it under the strict policy."""

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


def test_docs_render_from_our_own_files_without_a_complaint(start_empanel, browser: Browser) -> None:
    address = start_empanel().wait_ready().address
    complaints: list[str] = []
    asked: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/api/docs/")
    page.locator("#operations-ratings-campaigns_ratings_list").click()
    page.get_by_text("the whole as one stream").wait_for()
    page.wait_for_timeout(300)

    assert complaints == []
    assert all(url.startswith((address, "data:")) for url in asked)
