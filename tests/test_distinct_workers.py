"""Sampling until enough are distinct with real workers, both killed in the middle: each prompt gets its k."""

import json
import sqlite3
from contextlib import closing

import pytest

PROMPTS, DISTINCT, MOST = 8, 3, 30
START = f"""
from django.utils import timezone
from collector.generation import start_generation
from collector.models import Campaign, Generator, Prompt
campaign = Campaign.objects.create(slug="study", title="Study", seed="s")
for n in range({PROMPTS}):
    Prompt.objects.create(campaign=campaign, external_id=f"p{{n}}", text=f"Question {{n}}?", position=n)
# Three words of a handful of openings: most samples repeat an earlier one.
Generator.objects.create(campaign=campaign, name="short", provider="scripted", max_new_tokens=3, samples=3,
    distinct_samples={DISTINCT}, max_samples={MOST}, extra={{"delay": 0.1}})
start_generation(campaign, now=timezone.now())
"""
STATE = """
import json
from collector.models import Candidate, Prompt
rows = Candidate.objects.order_by("pk").values_list("prompt", "sample_index", "text", "left_out")
print(json.dumps({"rows": list(rows), "ready": Prompt.objects.ready().count()}))
"""


def state(empanel):
    return json.loads(empanel.manage("shell", "-v", "0", "-c", STATE).splitlines()[-1])


def run_state(empanel):
    with closing(sqlite3.connect(empanel.data_folder / "empanel.sqlite3", timeout=30)) as database:
        return database.execute("SELECT state FROM collector_generationrun").fetchone()[0]


@pytest.mark.slow
def test_every_prompt_gets_its_distinct_candidates_though_both_workers_are_killed(start_empanel):
    empanel = start_empanel(SWEEP_SECONDS="1", GENERATION_BATCH_SIZE="4", GENERATION_LEASE_SECONDS="5")
    empanel.wait_ready()
    empanel.manage("shell", "-c", START)
    empanel.wait_for(lambda: "candidates_marked" in empanel.log, "a prompt is compared", 60)
    empanel.kill_child("worker")
    empanel.kill_child("generation")
    empanel.wait_for(lambda: run_state(empanel) == "done", "the run is done", 120)

    end = state(empanel)
    shown = [(prompt, text) for prompt, _index, text, left_out in end["rows"] if not left_out]
    assert len(set(shown)) == len(shown) == PROMPTS * DISTINCT
    assert len(end["rows"]) > PROMPTS * DISTINCT  # some were repeated, and further ones drawn
    assert end["ready"] == PROMPTS
    places = [(prompt, index) for prompt, index, _text, _why in end["rows"]]
    assert len(set(places)) == len(places)
