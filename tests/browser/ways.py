"""The ways through Empanel's pages, as walks that stop at each page and give its name."""

from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.browser.stage import CLOSED, DRAFT, FILLING, PASSWORD, USERNAME, VERSION

IGNORED = "the server responded with a status of 4"  # an error page that was asked for
WATCH = "addEventListener('securitypolicyviolation', e => report(`${e.violatedDirective} ${e.sample}`), true)"
SETUP = ("settings", "jury", "prompts", "generators", "criteria", "questionnaires", "consent", "join-link")


def new_visitor(browser: Browser, address: str, complaints: list[str], **options) -> Page:
    """A page in a browser of its own; what its console or the content policy objects to is kept."""
    context = browser.new_context(base_url=address, reduced_motion="reduce", **options)
    if options.get("java_script_enabled", True):
        context.expose_function("report", lambda said: complaints.append(said))
        context.add_init_script(WATCH)
    page = context.new_page()
    page.on("console", lambda said: _keep(complaints, page, said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return page


def _keep(complaints: list[str], page: Page, text: str) -> None:
    if IGNORED not in text:
        complaints.append(f"{page.url}: {text}")


def enrol(page: Page, slug: str, age: str = "55+", gender: str = "man") -> Iterator[str]:
    """From the link to the first seat, with every scope allowed."""
    page.goto(f"/join/{slug}/")
    if page.url.endswith("/language/"):  # the study's texts are in other languages than these pages
        yield "language"
        page.locator('label.check:has([value="en"])').click()
        page.locator("main form button[type=submit]").click()
    yield "consent"
    for box in page.locator("label.check").all():
        box.click()
    page.locator('[name="agree"]').click()
    choose(page, "core-demographics.age_band", age)
    choose(page, "core-demographics.gender", gender)
    yield "profile"
    page.locator('[name="continue"]').click()
    page.wait_for_selector("#ballot")


def annotator_way(page: Page) -> Iterator[str]:
    """All that an annotator can come to see, from the consent form to having withdrawn."""
    yield from enrol(page, FILLING)
    answer(page, criteria(page)[:5])
    yield "rate"
    send(page)
    yield "rate-missing"
    while page.locator("#ballot").count():
        answer(page, criteria(page))
        with page.expect_navigation():
            send(page)
    yield "done"
    page.goto(f"/c/{FILLING}/stop/")
    yield "stop"
    page.goto(f"/c/{FILLING}/my-profile/")
    yield "my-profile"
    page.goto(f"/c/{FILLING}/profile/")
    yield "profile-again"
    page.goto("/my-data/")
    yield "my-data"
    page.goto(f"/c/{FILLING}/withdraw/")
    yield "withdraw"
    page.locator('[name="confirm"]').click()
    page.wait_for_load_state()
    yield "withdrawn"
    page.goto(f"/join/{CLOSED}/")
    yield "closed"
    page.goto(f"/join/{FILLING}/?code=made-up")
    yield "not-let-in"
    page.goto("/c/there-is-none/rate/")
    yield "not-found"


def console_way(page: Page) -> Iterator[str]:
    """The manager's and the researcher's pages, from the front page on."""
    page.goto("/")
    yield "home"
    page.goto("/console/sign-in/")
    yield "sign-in"
    page.locator("[name=username]").fill(USERNAME)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/console/")
    yield "campaigns"
    pages = {"campaign-new": "new", "campaign-draft": f"c/{DRAFT}", "campaign": f"c/{FILLING}"}
    pages |= {f"draft-{name}": f"c/{DRAFT}/{name}" for name in SETUP}
    pages |= {"tokens": "tokens", "release": f"c/{FILLING}/releases/{VERSION}"}
    pages["recruitment"] = f"c/{FILLING}/recruitment"
    for name, path in pages.items():
        page.goto(f"/console/{path}/")
        yield name
    page.goto("/account/security/")
    yield "account"
    page.goto("/account/security/totp/activate/")
    yield "reauthenticate"
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_selector(".qr")
    yield "second-step"


def outer_pages(page: Page) -> Iterator[str]:
    """What other projects draw for us; for a manager who is signed in."""
    page.goto("/api/docs/")
    page.wait_for_selector(".opblock")
    yield "api-docs"
    page.goto("/admin/")
    yield "admin"


def criteria(page: Page) -> list[Locator]:
    return page.locator(".criterion").all()


def answer(page: Page, questions: list[Locator]) -> None:
    """Answers that differ from one question to the next."""
    for number, question in enumerate(questions):
        slider = question.locator("input[type=range]")
        if slider.count():
            slider.fill(str(30 + 17 * number % 60))
        else:
            steps = question.locator("label.step, label.option")
            steps.nth((number * 2 + 3) % steps.count()).click()


def choose(page: Page, name: str, value: str) -> None:
    """As a finger does: on the words, which are the target; the radio button itself is drawn by them."""
    page.locator(f'label:has([name="{name}"][value="{value}"])').click()


def send(page: Page) -> None:
    page.locator("[data-send]").click()


def close(page: Page) -> None:
    context: BrowserContext = page.context
    context.close()
