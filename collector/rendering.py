"""Turning Markdown from models and people into HTML that can do nothing but be read.

markdown-it-py without raw HTML, images or links, then nh3 with a short list of tags and no
attributes: nothing that comes out can load, run, link or style anything.
"""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

MAX_TEXT = 64 * 1024
TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
# Characters that reorder or hide text are shown instead of obeyed.
INVISIBLE = {
    code: f"[U+{code:04X}]"
    for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x2060, 0xFEFF, 0x00AD)
}

_markdown = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 20, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable(["image", "link", "autolink", "reference", "html_block", "html_inline"])
)


def render_markdown(text: str) -> str:
    """Sanitised HTML of at most MAX_TEXT characters of `text`; longer texts are cut and say so."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "\n\n[…]"
    return nh3.clean(_markdown.render(text.translate(INVISIBLE)), tags=TAGS, attributes={}, url_schemes=set())


def trusted_html(html: str) -> SafeString:
    """Marks what `render_markdown` made as safe to show: the only place that trusts markup."""
    return mark_safe(nh3.clean(html, tags=TAGS, attributes={}, url_schemes=set()))  # noqa: S308
