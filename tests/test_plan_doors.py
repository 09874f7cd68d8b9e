"""Plans through every door: the API, a campaign's folder, the command, a release, the real small model."""

import json
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.apps import apps
from django.core.files.storage import storages
from django.core.management import call_command
from django.forms import model_to_dict
from django.urls import reverse
from django.utils import timezone

from collector.models import Candidate, Membership
from collector.steering import to_messages
from collector.tabular import IntakeError
from exports.interchange import import_campaign
from exports.releases import cut_release, release_folder
from tests.api_client import client_for, error_of
from tests.builders import make_campaign, make_criterion, make_generator, make_prompt, make_user
from tests.folders import PROMPTS, SETTINGS, write_folder

pytestmark = pytest.mark.django_db

FORMAL = {"label": "formal", "system": "Be formal."}
KIND = {"label": "mostly kind", "weights": {"good": 0.8, "brief": 0.2}}
STEERINGS = [
    FORMAL,
    {"label": "nurse", "persona": "A retired nurse."},
    {"label": "keeps her word", "profile": {"scores": {"tradition": 0.8}, "text": "A word is a word."}},
    {"label": "older", "attribute": "age_band", "level": "55+"},
    KIND,
    {"label": "Deutsch", "language": "de"},
    {"label": "unlike", "unlike": True},
    {},
]
BRIEF = {"criterion": "brief", "question": "Is it brief?", "kind": "binary"}


@pytest.fixture
def release_storage(tmp_path, settings):
    settings.STORAGES = settings.STORAGES | {
        "releases": settings.RELEASE_STORAGE
        | {"OPTIONS": {"location": tmp_path / "releases", "base_url": None}}
    }


@pytest.fixture
def manager(campaign):
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    return client_for(user)


@pytest.fixture
def campaign():
    campaign = make_campaign("ours")
    make_criterion(campaign, "good")
    make_criterion(campaign, "brief", kind="binary")
    make_prompt(campaign, "p1")
    return campaign


def add(manager, **fields):
    body = {"name": "gen", "provider": "scripted"} | fields
    return manager.post("/api/v1/campaigns/ours/generators/", body, format="json")


def cut(campaign):
    release = cut_release(campaign, "1.0", now=timezone.now())
    return Path(storages["releases"].path(release_folder(release)))


def check_messages(campaign):
    """Every candidate is done, and was sent exactly what its place in the plan says."""
    criteria = list(campaign.criteria.all())
    candidates = campaign.candidates.select_related("prompt", "generator").order_by("sample_index")
    texts: dict[tuple, list[str]] = {}
    for candidate in candidates:
        assert candidate.state == Candidate.State.DONE, candidate.error
        earlier = texts.setdefault((candidate.prompt_id, candidate.steering), [])
        [entry] = [e for e in candidate.generator.steering_plan if e.get("label", "") == candidate.steering]
        sent = to_messages(candidate.prompt, entry, earlier=earlier, criteria=criteria)
        assert candidate.provenance["messages"] == sent
        earlier.append(candidate.text)


# --- the API ----------------------------------------------------------------------------------------
def test_a_list_of_steerings_is_kept_and_shown(campaign, manager):
    assert add(manager, steering=STEERINGS).status_code == 201

    shown = manager.get("/api/v1/campaigns/ours/generators/").json()["results"][0]
    assert shown["steering"] == STEERINGS
    assert campaign.generators.get().steerings == STEERINGS


def test_one_steering_comes_and_goes_as_an_object(campaign, manager):
    assert add(manager, steering=FORMAL).json()["steering"] == FORMAL
    assert add(manager, name="plain").json()["steering"] == {}
    assert [generator.steerings for generator in campaign.generators.order_by("pk")] == [[FORMAL], []]


BAD = {
    "steering.1.weights": [FORMAL, {"weights": {"good": 0.5}}],
    "steering.0.persona": [{"persona": ""}],
    "steering.weights": {"weights": {"brave": 1.0}},
    "steering.1.label": [FORMAL, FORMAL],
    "steering.0": [3],
    "steering": "Be kind.",
}


@pytest.mark.parametrize("field", BAD)
def test_what_is_wrong_is_named_with_its_entry(campaign, manager, field):
    assert list(error_of(add(manager, steering=BAD[field]), 400)["fields"]) == [field]
    assert not campaign.generators.exists()


def test_a_plan_made_and_started_over_the_api_is_carried_out(campaign, manager):
    add(manager, steering=STEERINGS, samples=3)
    started = manager.post("/api/v1/campaigns/ours/generation-runs/", format="json")
    call_command("generate", "ours", "--inline")

    assert started.json()[0]["planned"] == len(STEERINGS) * 3
    assert campaign.candidates.count() == len(STEERINGS) * 3
    check_messages(campaign)


# --- a campaign's folder and a release --------------------------------------------------------------
def test_steerings_travel_in_a_folder_and_a_release_with_the_weights_beside_each_candidate(
    tmp_path, release_storage
):
    criteria = [*SETTINGS["criteria"], BRIEF]
    generator = {"name": "gen", "provider": "scripted", "samples": 2, "steering": STEERINGS}
    settings = SETTINGS | {"criteria": criteria, "generators": [generator]}
    campaign = import_campaign(write_folder(tmp_path / "in", settings, prompts=PROMPTS), "study")
    call_command("generate", "study", "--inline")
    check_messages(campaign)
    first = cut(campaign)

    rows = pq.read_table(first / "data" / "candidates.parquet").to_pylist()
    labels = {entry.get("label") for entry in STEERINGS}
    assert {row["steering"] for row in rows} == labels
    [kind] = [row for row in rows if row["candidate_id"] == "p1-gen-mostly-kind-1"]
    assert json.loads(kind["provenance"])["steering"]["weights"] == KIND["weights"]

    again = import_campaign(first, "again")
    assert again.generators.get().steerings == STEERINGS
    second = cut(again)
    assert pq.read_table(second / "data" / "candidates.parquet").to_pylist() == rows


def test_a_folder_says_where_a_steering_is_wrong(tmp_path):
    generator = {"name": "gen", "steering": [FORMAL, {"weights": {"good": 2}}]}
    folder = write_folder(tmp_path, SETTINGS | {"generators": [generator]}, prompts=PROMPTS)
    with pytest.raises(IntakeError, match=r"generators\[0\]\.steering\[1\]\.weights"):
        import_campaign(folder, "study")


def test_candidates_of_one_number_under_two_steerings_are_two(tmp_path):
    rows = [
        {"candidate_id": f"c-{label}", "prompt_id": "p1", "text": "Yes.", "generator": "g", "sample_index": 0,
         "steering": label}
        for label in ("", "formal")
    ]  # fmt: skip
    campaign = import_campaign(write_folder(tmp_path, prompts=PROMPTS, candidates=rows), "study")

    assert list(campaign.candidates.order_by("pk").values_list("steering", "sample_index")) == [
        ("", 0),
        ("formal", 0),
    ]


# --- what there was before ---------------------------------------------------------------------------
def test_the_one_steering_of_before_becomes_a_list_of_one(campaign):
    generators = [make_generator(campaign, f"g{number}") for number in range(3)]
    for generator, steerings in zip(generators, (FORMAL, {}, [FORMAL]), strict=True):
        campaign.generators.filter(pk=generator.pk).update(steerings=steerings)
    migration = import_module("collector.migrations.0008_steerings_as_lists")
    migration.make_lists(apps, None)
    after = list(campaign.generators.order_by("pk").values_list("steerings", flat=True))
    migration.make_objects(apps, None)

    assert after == [[FORMAL], [], [FORMAL]]
    assert list(campaign.generators.order_by("pk").values_list("steerings", flat=True)) == [
        FORMAL,
        {},
        FORMAL,
    ]


def test_a_steering_that_cannot_be_used_does_not_pass_the_admin(campaign, client):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    generator = make_generator(campaign, "gen")
    address = reverse("admin:collector_generator_change", args=[generator.pk])
    fields = model_to_dict(generator) | {"steerings": '[{"weights": {"good": 2}}]', "extra": "{}"}
    fields = {name: value for name, value in fields.items() if value is not None}

    assert b"add up to 1" in client.post(address, fields).content


# --- the real small model ---------------------------------------------------------------------------
@pytest.mark.slow
def test_the_small_model_is_sent_what_the_plan_says(campaign):
    campaign.prompts.update(text="Should one always tell the truth?")
    make_generator(
        campaign,
        provider="transformers_local",
        model="smollm2-135m-instruct",
        steerings=[STEERINGS[1], KIND, STEERINGS[6]],
        samples=2,
        max_new_tokens=8,
    )
    call_command("generate", "ours", "--inline")

    check_messages(campaign)
    unlike = campaign.candidates.get(steering="unlike", sample_index=1)
    first = campaign.candidates.get(steering="unlike", sample_index=0)
    assert first.text in unlike.provenance["messages"][0]["content"]
    assert unlike.provenance["steering"]["words"]["language"] == "en"
