"""The demo campaign scaled down: four prompts, four strata of two seats, short answers."""

import csv
import json
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent / "exports" / "demo"
PROMPTS = 4
STRATA = [
    {"attribute": "age_band", "levels": ["18-34", "55+"]},
    {"attribute": "gender", "levels": ["woman", "man"]},
]
PEOPLE = [(age, gender) for age in STRATA[0]["levels"] for gender in STRATA[1]["levels"]] * 2


def write_small_demo(folder: Path) -> Path:
    """An interchange folder for `import_campaign`, made of the demo's own content."""
    folder.mkdir()
    campaign = json.loads((DEMO / "campaign.json").read_text(encoding="utf-8"))
    campaign |= {"strata": STRATA, "seats_per_stratum": 2, "wildcard_seats": 0, "languages": ["en"]}
    # Two people of a stratum are too few for any other tier: its privacy gate would hide who they are.
    campaign["privacy"] |= {"tier": "internal"}
    campaign["generators"] = [g | {"max_new_tokens": 24} for g in campaign["generators"]]
    (folder / "campaign.json").write_text(json.dumps(campaign), encoding="utf-8")
    with (DEMO / "prompts.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))[: PROMPTS + 1]
    with (folder / "prompts.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target, lineterminator="\n").writerows(rows)
    return folder


def opinion(age: str, gender: str, candidate: int, criterion: str) -> float:
    """What a person of a stratum thinks: it differs by stratum, by candidate and by criterion."""
    leaning = (candidate * 2 + len(age) + len(gender) + len(criterion)) % 5
    return leaning * 25.0 if criterion == "speaks_to_my_values" else leaning + 1.0
