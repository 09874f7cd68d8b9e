"""The privacy report in the words of a release's card and datasheet; files are in English."""

from typing import Any


def privacy_in_words(privacy: dict[str, Any]) -> list[str]:
    """What was done for people's privacy, one sentence or table each; facts are those of MANIFEST.json."""
    columns = ", ".join(f"`{name}`" for name in privacy["quasi_identifiers"]) or "none"
    parts = [f"Columns by which somebody might be recognised (quasi-identifiers): {columns}."]
    if not privacy["enforced"]:
        parts.append(f"{_reached(privacy)} An internal release shows them as they are.")
        return [*parts, *_texts(privacy["texts"])]
    parts.append(
        f"At least {privacy['k_required']} annotators look alike in all of them, and where they do, they "
        f"give at least {privacy['l_required']} different answers on sensitive matters. Levels were made "
        f"coarser, then cells emptied, until that held. {_reached(privacy)}"
    )
    if not privacy["is_met"]:
        parts.append("**This was not reached: there are too few annotators. It may not be published.**")
    parts.append(_cost_table(privacy["columns"]))
    parts.append(
        f"Scores are rounded to {privacy['score_step']}. A score that repeats one of these columns is left "
        f"out. A group of fewer than {privacy['k_required']} annotators has no number of its own in "
        "`metrics.json`."
    )
    if privacy["raw_items"]:
        parts.append(
            f"{privacy['raw_items']} columns `item_...` hold answers to single questions. Together they tell "
            "people apart: that is why this release is restricted."
        )
    return [part for part in [*parts, *_texts(privacy["texts"])] if part]


def _texts(texts: dict[str, int]) -> list[str]:
    """What became of the words that annotators wrote; nothing where there are none."""
    if not any(texts.values()):
        return []
    if "as_written" in texts:
        return [f"{texts['as_written']} texts stand in `profile_text` as written; nobody has reviewed them."]
    return [
        f"Of the texts that annotators wrote and let be released, {texts['released']} stand in "
        f"`profile_text` as somebody read and redacted them, {texts['kept_back']} were kept back, and "
        f"{texts['waiting']} are left out because nobody has read them yet."
    ]


def _reached(privacy: dict[str, Any]) -> str:
    """k and l before and after."""
    if privacy["k"] is None:
        return "There are no annotators."
    text = f"The smallest group of annotators who look alike has {privacy['k']} (k)"
    if privacy["k_before"] != privacy["k"]:
        text += f", {privacy['k_before']} before"
    if privacy["l"] is not None:
        text += f"; the fewest different sensitive answers in one are {privacy['l']} (l)"
        if privacy["l_before"] != privacy["l"]:
            text += f", {privacy['l_before']} before"
    return f"{text}."


def _cost_table(columns: list[dict[str, Any]]) -> str:
    changed = [entry for entry in columns if entry["coarsened"] or entry["suppressed"]]
    if not changed:
        return "Nothing had to be changed for it." if columns else ""
    lines = [
        "| column | cells | made coarser | emptied | levels before | levels after |",
        "|---|---|---|---|---|---|",
    ]
    for entry in changed:
        numbers = ("cells", "coarsened", "suppressed", "levels_before", "levels_after")
        lines.append(f"| `{entry['column']}` | " + " | ".join(str(entry[name]) for name in numbers) + " |")
    return "\n".join(lines)
