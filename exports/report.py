"""report.html of a release: what metrics.json says, in tables, in one file without scripts."""

from collections.abc import Sequence
from html import escape
from typing import Any

NUMBER = ' class="number"'
STYLE = """
:root { color-scheme: light dark; --paper: light-dark(#FBFAF7, #15171A); --ink: light-dark(#1B1A17, #ECEAE4);
  --muted: light-dark(#57544C, #B4B0A6); --hairline: light-dark(#DAD6CC, #33373C); }
body { background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; max-width: 58rem;
  margin: 3rem auto 5rem; padding: 0 1.25rem; }
h1, caption { font-family: Charter, Georgia, "Times New Roman", serif; font-weight: 500; text-wrap: balance; }
h1 { font-size: 2rem; line-height: 1.2; }
p { max-width: 42rem; }
.wide { overflow-x: auto; margin-block: 2.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: start; font-size: 1.3rem; padding-block: .5rem; }
th, td { border-bottom: 1px solid var(--hairline); padding: .4rem .75rem .4rem 0; text-align: start; }
thead th { color: var(--muted); font-weight: 500; font-size: .875rem; }
.number { text-align: end; white-space: nowrap; }
.notice { border-inline-start: .25rem solid; padding: .25rem 1rem; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } }
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
    if facts["privacy"]["k"] is not None:
        hidden = f"At least {facts['privacy']['k']} annotators look alike in what is released about them."
        parts.append(f"<p>{hidden}</p>")
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
    """Columns whose cells are all numbers, or empty, stand to the right under their headings."""
    numeric = [all(_is_number(row[at]) for row in rows) for at in range(len(header))]
    head = _cells("th", header, numeric).replace("<th", '<th scope="col"')
    body = "\n".join(f"<tr>{_cells('td', row, numeric)}</tr>" for row in rows)
    table = (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n"
    )
    region = f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
    return f"{region}\n{table}</tbody>\n</table>\n</div>"


def _cells(tag: str, cells: tuple[str, ...], numeric: list[bool]) -> str:
    return "".join(
        f"<{tag}{NUMBER if right else ''}>{escape(cell)}</{tag}>"
        for cell, right in zip(cells, numeric, strict=True)
    )


def _is_number(cell: str) -> bool:
    return not cell or cell[0].isdigit() or cell[0] == "-"
