"""Markdown that models write comes out readable and inert."""

from html.parser import HTMLParser

import pytest

from collector.rendering import MAX_TEXT, TAGS, render_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![beacon](https://evil.example/x.png)",
    "<style>body{display:none}</style>",
    "[ref]: https://evil.example\n\nsee [ref]",
    "<a href='https://evil.example'>x</a>",
    "<https://evil.example>",
    "<svg onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    '<form action="/x"><button>Continue</button></form>',
    "```html\n<script>alert(1)</script>\n```",
]


class Elements(HTMLParser):
    """Every tag with its attributes, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, list]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, attrs))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_inert(text: str) -> None:
    seen = Elements(render_markdown(text)).seen

    assert all(tag in TAGS and not attributes for tag, attributes in seen)


def test_tables_code_and_emphasis_survive() -> None:
    html = render_markdown("**so** `x`\n\n| a | b |\n|---|---|\n| 1 | 2 |")

    assert "<strong>so</strong> <code>x</code>" in html
    assert "<td>2</td>" in html


def test_text_direction_tricks_are_shown() -> None:
    assert "[U+202E]" in render_markdown("safe\u202eexe")


def test_long_text_is_cut_and_says_so() -> None:
    html = render_markdown("a" * (MAX_TEXT + 10))

    assert html.endswith("<p>[…]</p>\n")
