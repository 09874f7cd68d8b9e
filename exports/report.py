"""report.html of a release: what metrics.json says, in tables, in one file without scripts."""

from collections.abc import Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
caption { text-align: start; font-weight: 600; padding: .5rem 0; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .3rem .6rem; }
th { text-align: start; }
td.number { text-align: end; font-variant-numeric: tabular-nums; }
.notice { border-inline-start: .3rem solid; padding: .5rem 1rem; }
"""


def write_report(facts: dict[str, Any], metrics: list[dict[str, Any]]) -> str:
    """One HTML page: what is in the release, then a table of metrics per criterion."""
    title = f"{facts['title']}, release {facts['version']}"
    parts = [f"<h1>{escape(title)}</h1>"]
    if facts["description"]:
        parts.append(f"<p>{escape(facts['description'])}</p>")
    if facts["has_simulated"]:
        parts.append(
            '<p class="notice">Contains simulated annotators: these numbers say nothing about people.</p>'
        )
    counts = [(name, f"{rows:,}") for name, rows in facts["rows"].items()]
    parts.append(_table("What is in it", ("table", "rows"), counts))
    criteria = dict.fromkeys(record["criterion"] for record in metrics)
    for criterion in criteria:
        rows = [_metric_row(record) for record in metrics if record["criterion"] == criterion]
        parts.append(
            _table(
                criterion,
                ("metric", "of", "value", "95 % interval", "candidates", "annotators", "ratings"),
                rows,
            )
        )
    parts.append(
        "<p>An undefined number is left out with its reason. Intervals are from resampling candidates.</p>"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _metric_row(record: dict[str, Any]) -> tuple[str, ...]:
    name = record["metric"] + (f" ({record['level']})" if record["level"] else "")
    value = record["undefined_reason"] if record["value"] is None else f"{record['value']:.3f}"
    has_interval = record["low"] is not None
    interval = f"{record['low']:.3f} to {record['high']:.3f}" if has_interval else ""
    sizes = (record["n_items"], record["n_annotators"], record["n_ratings"])
    return (
        name,
        record["group"] or "all",
        value,
        interval,
        *("" if size is None else f"{size:,}" for size in sizes),
    )


def _table(caption: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "\n".join(
        "<tr>" + "".join(f"<td{_class(cell)}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    caption = f"<caption>{escape(caption)}</caption>"
    return f"<table>\n{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _class(cell: str) -> str:
    return ' class="number"' if cell[:1].isdigit() or cell[:1] == "-" else ""
