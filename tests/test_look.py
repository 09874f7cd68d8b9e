"""The pages' look: readable colours, own fonts, and templates that a strict content policy lets through."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "collector/static/empanel"
TEMPLATES = sorted(
    path
    for app in ("collector", "annotations", "console")
    for path in (ROOT / app / "templates").rglob("*.html")
)
TEXT_COLOURS = ("ink", "muted", "accent", "good", "warn", "bad")


def colours(theme: int) -> dict[str, str]:
    """The tokens' first declarations, as hex, in the light (0) or dark (1) theme."""
    css = (STATIC / "tokens.css").read_text()
    found: dict[str, str] = {}
    for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css):
        found.setdefault(name, pair[theme])
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("text", TEXT_COLOURS)
@pytest.mark.parametrize("ground", ["paper", "sheet", "wash"])
def test_text_stands_out_seven_to_one(theme: int, text: str, ground: str) -> None:
    tokens = colours(theme)

    assert contrast(tokens[text], tokens[ground]) >= 7


@pytest.mark.parametrize("theme", [0, 1])
def test_the_main_button_can_be_read(theme: int) -> None:
    tokens = colours(theme)

    assert contrast(tokens["on-accent"], tokens["accent"]) >= 7


def test_fonts_are_our_own_small_and_licensed() -> None:
    fonts = list((STATIC / "fonts").glob("*.woff2"))
    named = set(re.findall(r'url\("fonts/([^"]+)"\)', (STATIC / "tokens.css").read_text()))

    assert named == {font.name for font in fonts}
    assert sum(font.stat().st_size for font in fonts) < 200_000
    assert "SIL OPEN FONT LICENSE" in (STATIC / "fonts/OFL.txt").read_text()


def test_a_stylesheet_fetches_nothing_from_elsewhere() -> None:
    for sheet in STATIC.glob("*.css"):
        assert "//" not in re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_carries_nothing_inline(path: Path) -> None:
    source = path.read_text()

    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\bsrc=)|javascript:", source)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_compiles(path: Path) -> None:
    get_template(str(path).split("/templates/")[1])
