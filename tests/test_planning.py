"""Tests of collector/planning.py: plans of prompts, steerings and samples, and chains of unlike samples."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from collector import planning
from collector.claims import claim_batch
from collector.generation import start_generation, work_candidates
from collector.models import ID_LENGTH, Campaign, Candidate, Generator, Prompt
from collector.planning import candidate_id, candidate_seed, plan_candidates
from collector.providers.base import Provider, ProviderError, Response
from tests.builders import make_campaign, make_generator, make_prompt
from tests.servers import make_database

NOW = timezone.now()
FORMAL, WARM = {"label": "formal", "system": "Be formal."}, {"label": "warm and kind", "persona": "A nurse."}
UNLIKE = {"label": "unlike", "unlike": True}
RACE = Path(__file__).parent / "planning_race.py"


class Echo(Provider):
    """Answers "text N" and keeps what it was sent; fails where `fails` says so."""

    label = "echo"

    def __init__(self, fails=lambda number: False):
        super().__init__()
        self.fails, self.asked = fails, []

    def generate(self, requests):
        results = []
        for request in requests:
            self.asked.append(request)
            number = len(self.asked)
            failed = ProviderError("no", permanent=True)
            results.append(failed if self.fails(number) else Response(f"text {number}"))
        return results


@pytest.fixture
def campaign(db):
    campaign = make_campaign(seed="s")
    for number in (1, 2):
        make_prompt(campaign, f"p{number}")
    return campaign


def work(campaign, provider, size=10):
    """Batches until nothing can be claimed; how many candidates each had."""
    sizes = []
    for run in start_generation(campaign, now=NOW, publish=False):
        while batch := claim_batch(run, size, NOW):
            work_candidates(batch, provider, now=NOW)
            sizes.append(len(batch))
    return sizes


# --- the plan ---------------------------------------------------------------------------------------
def test_every_prompt_is_planned_under_every_steering_and_for_every_sample(campaign):
    generator = make_generator(campaign, "gen", steerings=[FORMAL, WARM, {}], samples=2)

    assert plan_candidates(generator) == 2 * 3 * 2
    assert list(
        campaign.candidates.filter(prompt__external_id="p1").values_list("external_id", flat=True)
    ) == [
        "p1-gen-formal-0",
        "p1-gen-formal-1",
        "p1-gen-warm-and-kind-0",
        "p1-gen-warm-and-kind-1",
        "p1-gen-0",
        "p1-gen-1",
    ]
    assert plan_candidates(generator) == 0


def test_more_samples_and_steerings_plan_only_what_is_missing_and_fewer_delete_nothing(campaign):
    generator = make_generator(campaign, "gen", steerings=[FORMAL], samples=1)
    plan_candidates(generator)
    first = set(campaign.candidates.values_list("pk", "external_id", "seed"))
    generator.steerings, generator.samples = [FORMAL, WARM], 2

    assert plan_candidates(generator) == 2 * 3
    assert first < set(campaign.candidates.values_list("pk", "external_id", "seed"))
    generator.steerings, generator.samples = [WARM], 1
    assert plan_candidates(generator) == 0
    assert campaign.candidates.count() == 8


def test_a_plain_generator_keeps_its_seeds_and_a_steered_one_has_its_own(campaign):
    generator = make_generator(campaign, "gen", seed=7)
    prompt = campaign.prompts.get(external_id="p1")

    before = hashlib.sha256("\0".join(["s", "gen", "7", "p1", "0"]).encode()).digest()[:6]
    assert candidate_seed(prompt, generator, 0) == int.from_bytes(before)
    seeds = {candidate_seed(prompt, generator, 0, label) for label in ("", "formal", "warm")}
    assert len(seeds) == 3


def test_labels_that_look_alike_have_ids_and_seeds_of_their_own(campaign):
    steerings = [{"label": "so so"}, {"label": "so-so"}, {"label": "ودود"}, {"label": "!"}]
    generator = make_generator(campaign, "gen", steerings=steerings)

    assert plan_candidates(generator) == 8
    assert campaign.candidates.values("external_id").distinct().count() == 8
    assert campaign.candidates.values("seed").distinct().count() == 8
    assert campaign.candidates.filter(external_id="p1-gen-ودود-0").exists()


def test_an_id_another_generator_has_taken_is_made_longer(campaign):
    plan_candidates(make_generator(campaign, "gen-formal"))
    plan_candidates(make_generator(campaign, "gen", steerings=[FORMAL]))

    assert campaign.candidates.count() == 4
    assert campaign.candidates.filter(external_id__startswith="p1-gen-formal-0~").exists()


@given(
    prompt=st.text(min_size=1, max_size=ID_LENGTH), label=st.text(max_size=200), index=st.integers(0, 32767)
)
def test_ids_fit_and_depend_on_every_part(prompt, label, index):
    generator = Generator(campaign=Campaign(seed="s"), name="g" * 64)
    first = candidate_id(Prompt(external_id=prompt), generator, index, label)

    assert 0 < len(first) <= ID_LENGTH
    assert first != candidate_id(Prompt(external_id=prompt), generator, index + 1, label)
    assert candidate_seed(Prompt(external_id=prompt), generator, index, label) < 2**48


@pytest.mark.django_db
@examples(max_examples=25, deadline=None)
@given(data=st.data())
def test_however_a_plan_changes_the_places_are_the_union_of_all_it_ever_was(data):
    campaign = make_campaign()
    prompts = [make_prompt(campaign, f"p{number}") for number in range(data.draw(st.integers(1, 3)))]
    generator = make_generator(campaign)
    wanted = set()
    for _ in range(data.draw(st.integers(1, 4))):
        labels = data.draw(st.lists(st.sampled_from(["", "a", "b", "c"]), unique=True, min_size=1))
        generator.samples = data.draw(st.integers(1, 4))
        generator.steerings = [{"label": label} if label else {} for label in labels]
        plan_candidates(generator)
        wanted |= {(p.pk, label, i) for p in prompts for label in labels for i in range(generator.samples)}

    planned = list(campaign.candidates.values_list("prompt_id", "steering", "sample_index"))
    assert len(planned) == len(set(planned))
    assert set(planned) == wanted


def test_queries_grow_with_chunks_and_not_with_rows(campaign, monkeypatch):
    generator = make_generator(campaign, steerings=[FORMAL, WARM, {}], samples=4)
    monkeypatch.setattr(planning, "ROWS_AT_ONCE", 120)  # ten prompts at a time
    for number in range(3, 41):
        make_prompt(campaign, f"p{number}")
    with CaptureQueriesContext(connection) as queries:
        assert plan_candidates(generator) == 40 * 12

    chunks = 4
    reads = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    # A count before and after; each chunk's prompts, what is planned, what is missing; one empty look.
    assert len(reads) == 2 + chunks * 3 + 1


# --- removed steerings ------------------------------------------------------------------------------
def test_what_was_planned_under_a_removed_steering_fails_with_the_reason(campaign):
    generator = make_generator(campaign, "gen", steerings=[FORMAL, WARM])
    plan_candidates(generator)
    Generator.objects.update(steerings=[WARM])
    work(campaign, Echo())

    assert campaign.candidates.filter(steering="warm and kind", state="done").count() == 2
    errors = campaign.candidates.filter(steering="formal", state="failed").values_list("error", flat=True)
    assert set(errors) == {'the generator "gen" has no steering "formal" any more'}


# --- chains of unlike samples -----------------------------------------------------------------------
def test_an_unlike_sample_waits_for_those_before_it_and_is_shown_them(campaign):
    make_generator(campaign, "gen", steerings=[UNLIKE], samples=3)
    echo = Echo()

    # One sample of each of the two prompts at a time, although a batch could hold all six.
    assert work(campaign, echo) == [2, 2, 2]
    assert [len(request.messages) for request in echo.asked] == [1, 1, 2, 2, 2, 2]
    last = campaign.candidates.get(external_id="p1-gen-unlike-2")
    assert last.provenance["messages"][0]["content"].endswith("(1)\ntext 1\n\n(2)\ntext 3")


def test_chains_hold_up_neither_each_other_nor_other_steerings(campaign):
    make_generator(campaign, "gen", steerings=[UNLIKE, FORMAL], samples=2)

    assert work(campaign, Echo()) == [2 + 4, 2]


def test_a_failed_sample_holds_its_chain_up_no_longer(campaign):
    campaign.prompts.get(external_id="p2").delete()
    make_generator(campaign, "gen", steerings=[UNLIKE], samples=3)
    work(campaign, Echo(fails=lambda number: number == 2))

    states = list(campaign.candidates.order_by("sample_index").values_list("state", flat=True))
    assert states == ["done", "failed", "done"]
    last = campaign.candidates.get(sample_index=2)
    assert last.provenance["messages"][0]["content"].endswith("\n\n(1)\ntext 1")


def test_a_chain_never_shows_another_prompts_or_generators_texts(campaign):
    make_generator(campaign, "gen", steerings=[UNLIKE], samples=2)
    make_generator(campaign, "other", steerings=[UNLIKE], samples=2)
    work(campaign, Echo())

    for candidate in Candidate.objects.filter(sample_index=1).select_related("prompt", "generator"):
        first = Candidate.objects.get(
            prompt=candidate.prompt, generator=candidate.generator, sample_index=0, steering="unlike"
        )
        assert candidate.provenance["messages"][0]["content"].endswith(f"\n\n(1)\n{first.text}")


# --- races ------------------------------------------------------------------------------------------
PLANNED = {"rows": 400 * 2 * 3, "places": 400 * 2 * 3, "ids": 400 * 2 * 3, "seeds": 400 * 2 * 3, "errors": 0}


@pytest.mark.slow
def test_eight_who_plan_at_once_plan_everything_once_on_sqlite(tmp_path):
    assert _race(tmp_path, f"sqlite:///{tmp_path / 'race.sqlite3'}") == PLANNED


@pytest.mark.slow
@pytest.mark.postgres
def test_eight_who_plan_at_once_plan_everything_once_on_postgresql(tmp_path, postgres_url):
    assert _race(tmp_path, make_database(postgres_url, "planning-race")) == PLANNED


def _race(folder, database_url):
    environment = os.environ | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}
    race = subprocess.run(
        [sys.executable, RACE], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert race.returncode == 0, race.stderr
    return json.loads(race.stdout.splitlines()[-1])
