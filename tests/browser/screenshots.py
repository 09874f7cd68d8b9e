"""Photographs every page, phone and desktop, light and dark; --keep copies the best into docs."""

# ruff: noqa: E402  run as a script, it must find the tests first

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.stage import run_on_stage
from tests.browser.ways import annotator_way, close, console_way, new_visitor, outer_pages

SIZES = {"phone": {"width": 360, "height": 780}, "desktop": {"width": 1440, "height": 900}}
SCHEMES = ("light", "dark")
KEPT = ROOT / "docs" / "screenshots"
BEST = (
    *("rate-desktop-light", "rate-desktop-dark", "rate-phone-light", "rate-ar-phone-light"),
    *("consent-phone-light", "profile-phone-light", "done-phone-light", "my-data-desktop-light"),
    *("campaign-desktop-light", "campaign-phone-dark"),
    *("campaign-draft-desktop-light", "release-desktop-light"),
)
LARGEST = 250_000  # bytes of a kept file: a clone should stay small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--keep", action="store_true", help=f"copy the best into {KEPT.relative_to(ROOT)}")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.out, ignore_errors=True)
    arguments.out.mkdir(parents=True)
    complaints: list[str] = []
    with run_on_stage() as empanel, sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        _photograph_all(browser, empanel.address, arguments.out, complaints)
        browser.close()
    taken = sorted(arguments.out.glob("*.png"))
    print(f"{len(taken)} pictures in {arguments.out}")
    if arguments.keep:
        _keep(arguments.out)
    if complaints:
        sys.exit("the browser complained:\n" + "\n".join(complaints))


def _photograph_all(browser: Browser, address: str, folder: Path, complaints: list[str]) -> None:
    for language, suffix in (("en", ""), ("ar", "-ar")):
        page = new_visitor(browser, address, complaints, locale=language)
        _photograph(page, annotator_way(page), folder, suffix)
        close(page)
    manager = new_visitor(browser, address, complaints, locale="en")
    _photograph(manager, console_way(manager), folder)
    _photograph(manager, outer_pages(manager), folder)
    close(manager)


def _photograph(page: Page, way: Iterator[str], folder: Path, suffix: str = "") -> None:
    for name in way:
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.evaluate("document.fonts.ready.then(() => 0)")
                stem = folder / f"{name}{suffix}-{size}-{scheme}"
                page.screenshot(path=f"{stem}.png")
                page.screenshot(path=f"{stem}-whole.png", full_page=True)
        page.set_viewport_size(SIZES["desktop"])


def _keep(folder: Path) -> None:
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    for name in BEST:
        picture = folder / f"{name}.png"
        if picture.stat().st_size > LARGEST:
            sys.exit(f"{picture} has more than {LARGEST:,} bytes")
        shutil.copy(picture, KEPT)
    print(f"{len(BEST)} of them kept in {KEPT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
