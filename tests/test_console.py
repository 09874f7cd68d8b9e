"""The console: who may see and do what, and that mistakes end in words."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from annotations.models import Annotator, Seat
from annotations.simulation import simulate
from collector.heartbeat import record_heartbeat
from collector.models import Campaign, GenerationRun, Membership
from exports.interchange import import_campaign
from exports.models import Release
from exports.releases import cut_release, release_folder
from tests.builders import (
    AGE,
    make_campaign,
    make_candidate,
    make_criterion,
    make_generator,
    make_open_campaign,
    make_prompt,
    make_user,
)

pytestmark = pytest.mark.django_db
Role = Membership.Role

READ = ("campaign", "campaign_progress", "releases_part")
MANAGE = ("campaign_edit", "jury", "prompts", "criteria", "generators", "consent", "join_link")
ACT = ("campaign_state", "generate", "generation_step", "simulate", "cut_release", "prompts_upload")


def sign_in(client, campaign=None, role=Role.MANAGER, **fields):
    user = make_user(**fields)
    if campaign is not None:
        Membership.objects.create(campaign=campaign, user=user, role=role)
    client.force_login(user)
    return user


def address(name, campaign, *more):
    return reverse(f"console:{name}", args=[campaign.slug, *more])


def text(response):
    return response.content.decode()


def upload(client, campaign, content, name="prompts.csv", **more):
    file = SimpleUploadedFile(name, content.encode())
    return client.post(address("prompts_upload", campaign), {"file": file} | more)


@pytest.fixture
def sent(monkeypatch):
    """The names of the tasks sent to the broker, which is not there."""
    names = []
    monkeypatch.setattr(current_app, "send_task", lambda name, *args, **kwargs: names.append(name))
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda self, *a, **k: names.append(self.name))
    return names


@pytest.mark.parametrize(
    ("who", "read", "manage"),
    [("manager", 200, 200), ("researcher", 200, 403), ("stranger", 404, 404), ("anonymous", 302, 302)],
)
def test_who_may_see_what(client, who, read, manage):
    campaign = make_open_campaign()
    if who == "stranger":
        sign_in(client, make_campaign())
    elif who != "anonymous":
        sign_in(client, campaign, role=Role(who))

    assert {client.get(address(name, campaign)).status_code for name in READ} == {read}
    assert {client.get(address(name, campaign)).status_code for name in MANAGE} == {manage}


@pytest.mark.parametrize(("who", "status"), [("researcher", 403), ("stranger", 404), ("anonymous", 302)])
def test_only_managers_act(client, who, status):
    campaign = make_open_campaign(is_demo=True)
    if who == "stranger":
        sign_in(client, make_campaign())
    elif who != "anonymous":
        sign_in(client, campaign, role=Role(who))
    post = {"action": "close", "annotators": "3", "version": "1.0.0"}

    assert {client.post(address(name, campaign), post).status_code for name in ACT} == {status}
    campaign.refresh_from_db()
    assert campaign.is_open


def test_nothing_is_done_by_a_link(client):
    campaign = make_open_campaign()
    sign_in(client, campaign)

    assert {client.get(address(name, campaign)).status_code for name in ACT} == {405}


def test_the_list_shows_only_ones_own_campaigns(client):
    mine, other = make_campaign("mine"), make_campaign("somebody-elses")
    sign_in(client, mine)
    page = text(client.get(reverse("console:campaigns")))

    assert "/console/c/mine/" in page
    assert "/console/new/" not in page
    assert other.slug not in page


def test_front_page_sends_the_signed_in_to_their_campaigns(client):
    assert client.get("/").status_code == 200
    sign_in(client)

    assert client.get("/").url == "/console/"


def test_signing_in_and_out(client):
    make_user("ada")
    page = reverse("console:sign_in")
    wrong = client.post(page, {"username": "ada", "password": "wrong"})
    right = client.post(page, {"username": "ada", "password": "long enough for a test"})

    assert 'role="alert"' in text(wrong)
    assert right.url == "/console/"
    assert client.get(reverse("console:sign_out")).status_code == 405
    assert client.post(reverse("console:sign_out")).url == page


def test_too_many_wrong_passwords_end_in_words(client):
    make_user("ada")
    for _attempt in range(8):
        response = client.post(reverse("console:sign_in"), {"username": "ada", "password": "wrong"})

    assert response.status_code == 429
    assert "quarter of an hour" in text(response)


# --- how many queries a page asks ----------------------------------------------------------------


def count_queries(client, page):
    client.get(page)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(page)
    assert response.status_code == 200
    return len(queries)


def test_list_asks_as_often_for_ten_campaigns_as_for_one(client):
    user = sign_in(client, make_open_campaign())
    one = count_queries(client, "/console/")
    for _ in range(9):
        Membership.objects.create(campaign=make_open_campaign(prompts=2), user=user, role=Role.MANAGER)

    assert count_queries(client, "/console/") == one <= 12


@pytest.mark.parametrize("page", ["campaign", "campaign_progress", "prompts", "criteria", "generators"])
def test_pages_ask_as_often_however_large_the_campaign(client, page):
    small = make_open_campaign(prompts=1, candidates=1)
    large = make_open_campaign(prompts=12, candidates=4)
    for number in range(5):
        Annotator.objects.create(campaign=large, external_id=f"a{number}")
        Release.objects.create(campaign=large, version=f"1.{number}.0", state="draft", cutoff=timezone.now())
    sign_in(client, is_superuser=True)

    few, many = (count_queries(client, address(page, campaign)) for campaign in (small, large))
    assert many <= few + (1 if page == "campaign" else 0) <= 30  # files are read where there is a release


# --- setting a campaign up -----------------------------------------------------------------------

NEW = {
    "title": "On work",
    "slug": "on-work",
    "languages": "en, es",
    "seats_per_stratum": "2",
    "wildcard_seats": "1",
    "tier": "restricted",
    "levels_age_band": ["18-34", "55+"],
    "levels_gender": ["woman", "man"],
}


def test_a_servers_address_is_kept_with_the_generator_and_a_forbidden_one_explained(client, settings):
    settings.PROVIDER_HOSTS = ["https://models.example.org:443"]
    campaign = make_campaign()
    sign_in(client, campaign)
    fields = {
        "provider": "openai_compatible",
        "model": "m",
        "samples": 1,
        "temperature": 1,
        "max_new_tokens": 9,
    }

    def add(name, endpoint, **more):
        given = fields | {"name": name, "endpoint": endpoint} | more
        return client.post(address("generators", campaign), given)

    add("good", "https://models.example.org/v1")
    add("several", "https://models.example.org/v1", several="on")
    refused = add("bad", "https://169.254.169.254/v1")
    assert "This cannot be used: the address must name a host" in text(refused)
    assert [generator.extra for generator in campaign.generators.all()] == [
        {"endpoint": "https://models.example.org/v1"},
        {"endpoint": "https://models.example.org/v1", "n": True},
    ]


def test_from_nothing_to_an_open_campaign(client, sent):
    sign_in(client, is_superuser=True)
    client.post(reverse("console:campaign_new"), NEW)
    campaign = Campaign.objects.get(slug="on-work")
    upload(client, campaign, "text\nIs work a duty?\n", action="add")
    generator = {
        "name": "plain",
        "provider": "scripted",
        "samples": 2,
        "temperature": 1,
        "max_new_tokens": 64,
    }
    client.post(address("generators", campaign), generator)
    client.post(address("criteria", campaign), {"name": "good", "question": "Is it good?", "kind": "likert"})
    client.post(address("campaign_state", campaign), {"action": "open"})

    campaign.refresh_from_db()
    assert campaign.state == "open"
    assert campaign.strata_cells.count() == 5
    assert campaign.consent_documents.count() == 4
    criterion = campaign.criteria.get()
    assert (criterion.scale_min, criterion.scale_max) == (1, 5)


def test_the_strata_are_always_released(client):
    sign_in(client, is_superuser=True)
    client.post(reverse("console:campaign_new"), NEW | {"attributes": ["education", "gender"]})

    privacy = Campaign.objects.get(slug="on-work").privacy
    assert privacy == {"attributes": ["age_band", "gender", "education"], "tier": "restricted"}


def test_whoever_may_not_add_campaigns_is_refused(client):
    sign_in(client)

    assert client.post(reverse("console:campaign_new"), NEW).status_code == 403
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("languages", "en, ?", "no language code"),
        ("seats_per_stratum", "0", "Must be from 1 to"),
        ("levels_age_band", ["90+"], "Select a valid choice"),
        ("slug", "taken", "already exists"),
        ("title", "", "required"),
    ],
)
def test_a_bad_campaign_is_not_made(client, field, value, said):
    make_campaign("taken")
    sign_in(client, is_superuser=True)
    response = client.post(reverse("console:campaign_new"), NEW | {field: value})

    assert response.status_code == 400
    assert said in text(response)
    assert Campaign.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "likert", "scale_min": 5, "scale_max": 1}, "must be above the lowest"),
        ({"kind": "likert", "scale_min": 0, "scale_max": 100}, "at most 11 whole steps"),
        ({"kind": "categorical", "categories": "one"}, "at least two categories"),
        ({"kind": "categorical", "categories": "one\none"}, "there twice"),
        ({"kind": "likert", "name": "taken"}, "is there already"),
        ({"kind": "ranking"}, "Select a valid choice"),
    ],
)
def test_a_bad_criterion_is_not_added(client, fields, said):
    campaign = make_campaign()
    make_criterion(campaign, "taken")
    sign_in(client, campaign)
    response = client.post(address("criteria", campaign), {"name": "new", "question": "?"} | fields)

    assert response.status_code == 400
    assert said in text(response)
    assert campaign.criteria.count() == 1


def test_criteria_stand_still_once_opened(client):
    campaign = make_open_campaign()
    sign_in(client, campaign)
    added = client.post(address("criteria", campaign), {"name": "new", "question": "?", "kind": "binary"})
    removed = client.post(address("criteria", campaign), {"remove": "acceptable"})

    assert (added.status_code, removed.status_code) == (409, 409)
    assert campaign.criteria.count() == 2


def test_settings_stand_still_once_opened(client):
    campaign = make_open_campaign(strata=[AGE])
    sign_in(client, campaign)
    response = client.post(address("campaign_edit", campaign), NEW)

    campaign.refresh_from_db()
    assert response.status_code == 409
    assert campaign.strata == [AGE]


def test_a_generator_that_has_made_candidates_stays(client):
    campaign = make_campaign()
    generator, unused = make_generator(campaign, "used"), make_generator(campaign, "unused")
    make_candidate(make_prompt(campaign), generator)
    sign_in(client, campaign)
    for name in (generator.name, unused.name):
        client.post(address("generators", campaign), {"remove": name})

    assert list(campaign.generators.all()) == [generator]


# --- uploads -------------------------------------------------------------------------------------


def test_a_bad_upload_names_file_line_and_column(client):
    campaign = make_campaign()
    sign_in(client, campaign)
    response = upload(client, campaign, "prompt_id,text\na,Good\nb,\n")

    assert response.status_code == 400
    assert "<bdi>prompts.csv</bdi>" in text(response)
    assert '<td class="figure">3</td>' in text(response)
    assert "<code>text</code>" in text(response)
    assert not campaign.prompts.exists()


def test_checking_a_file_adds_nothing(client):
    campaign = make_campaign()
    sign_in(client, campaign)
    response = upload(client, campaign, "text\nGood\n", action="check")

    assert "1 row can be added." in text(response)
    assert not campaign.prompts.exists()


def test_ready_made_candidates_come_by_the_same_page(client):
    campaign = make_campaign()
    make_prompt(campaign, "a")
    sign_in(client, campaign)
    upload(client, campaign, "prompt_id,text\na,Mine\n", kind="candidates")

    assert campaign.candidates.get().text == "Mine"


@pytest.mark.parametrize(
    ("content", "name"),
    [("", "p.csv"), ("text\nA\n", "p.exe"), ('text\n"A\n', "p.csv"), ("text\n\0\n", "p.csv")],
)
def test_files_that_cannot_be_read_are_refused(client, content, name):
    campaign = make_campaign()
    sign_in(client, campaign)

    assert upload(client, campaign, content, name).status_code == 400
    assert client.post(address("prompts_upload", campaign), {}).status_code == 400
    assert not campaign.prompts.exists()


def test_a_file_of_megabytes_is_taken_whole(client):
    campaign = make_campaign()
    sign_in(client, campaign)
    upload(client, campaign, "text\n" + "".join(f"{n} {'long ' * 600}\n" for n in range(1000)))

    assert campaign.prompts.count() == 1000


def test_names_with_nul_bytes_do_not_exist(client):
    campaign = make_open_campaign()
    sign_in(client, is_superuser=True)

    assert client.get(address("release", campaign, "1%00")).status_code == 404
    assert client.get(address("release", campaign, "1\0")).status_code == 404
    assert client.post(reverse("console:tokens"), {"action": "revoke", "token": "a\0"}).status_code == 404
    assert client.post(address("criteria", make_campaign()), {"remove": "a\0"}).status_code == 404


def test_a_closed_campaign_takes_no_prompts(client):
    campaign = make_open_campaign()
    sign_in(client, campaign)
    client.post(address("campaign_state", campaign), {"action": "close"})

    assert upload(client, campaign, "text\nLate\n").status_code == 409


# --- running -------------------------------------------------------------------------------------


def test_opening_too_early_says_what_is_missing(client):
    campaign = make_campaign()
    sign_in(client, campaign)
    response = client.post(address("campaign_state", campaign), {"action": "open"})

    assert response.status_code == 409
    assert "Add prompts." in text(response)
    campaign.refresh_from_db()
    assert campaign.is_draft


@pytest.mark.parametrize(("action", "status"), [("pause", 409), ("explode", 400), ("", 400)])
def test_steps_that_cannot_be_taken(client, action, status):
    campaign = make_campaign()
    sign_in(client, campaign)

    assert client.post(address("campaign_state", campaign), {"action": action}).status_code == status


def test_progress_counts_what_is_not_planned_yet(client):
    campaign = make_open_campaign(prompts=3, candidates=1)
    make_generator(campaign, "late", samples=2)
    sign_in(client, campaign)
    page = text(client.get(address("campaign_progress", campaign)))

    assert "3 of 9 done, 6 left, 0 failed." in page  # 3 prompts x (1 + 2 samples)
    assert "0 of 3 juries are full; 0 of 21 seats are filled." in page  # 3 x (6 strata + 1 for anyone)


def test_a_missing_worker_is_said_with_how_to_start_one(client):
    campaign = make_open_campaign()
    sign_in(client, campaign)
    before = text(client.get(address("campaign", campaign)))
    record_heartbeat("w", ["empanel", "generation"], timezone.now())
    after = text(client.get(address("campaign", campaign)))

    assert "No worker is running." in before
    assert "make run" in before
    assert "No worker is running." not in after


def test_progress_reloads_the_page_of_whoever_was_signed_out(client):
    response = client.get(address("campaign_progress", make_open_campaign()), headers={"HX-Request": "true"})

    assert response.headers["HX-Refresh"] == "true"


def test_generating_starts_one_run_a_generator(client, sent):
    campaign = make_campaign()
    make_prompt(campaign)
    make_generator(campaign)
    sign_in(client, campaign)
    for _twice in range(2):
        client.post(address("generate", campaign))

    assert GenerationRun.objects.filter(generator__campaign=campaign).count() == 1


def test_while_generating_the_page_says_so_and_offers_no_more(client, sent):
    campaign = make_campaign()
    make_prompt(campaign)
    make_generator(campaign)
    sign_in(client, campaign)
    before = client.get(address("campaign", campaign)).content.decode()
    during = client.post(address("generate", campaign), follow=True).content.decode()

    assert ("Generate 1 candidate" in before, "are being generated" in before) == (True, False)
    assert ("Generate 1 candidate" in during, "are being generated" in during) == (False, True)


def test_simulating_is_for_demo_campaigns(client, sent):
    study, demo = make_open_campaign(), make_open_campaign(is_demo=True)
    sign_in(client, is_superuser=True)

    assert client.post(address("simulate", study), {"annotators": "3"}).status_code == 409
    assert client.post(address("simulate", demo), {"annotators": "many"}).status_code == 400
    assert sent == []
    assert client.post(address("simulate", demo), {"annotators": "3"}).status_code == 302
    assert sent == ["annotations.tasks.simulate_annotators"]


def test_signed_links_let_their_owner_in(client):
    campaign = make_open_campaign()
    sign_in(client, campaign)
    page = client.post(address("join_link", campaign), {"people": "ann\nbob\nann"})
    lines = page.context["signed_links"].splitlines()

    assert [line.split(",")[0] for line in lines] == ["ann", "bob"]
    assert client.get(lines[0].split(",")[1]).status_code == 302


def test_an_imported_jury_is_full_as_it_is(client):
    release = make_release(simulated=True)
    folder = storages["releases"].path(release_folder(release))
    campaign = import_campaign(Path(folder), "again", owner=sign_in(client))
    page, listed = text(client.get(address("campaign", campaign))), client.get("/console/")

    filled = Seat.objects.filter(campaign=campaign, state="filled").count()
    assert filled > 0
    assert f"{filled} of {filled} seats are filled." in page
    assert listed.context["campaigns"][0]["seats"] == {"filled": filled, "total": filled}


# --- releases ------------------------------------------------------------------------------------


def test_cutting_is_left_to_a_worker(client, sent, django_capture_on_commit_callbacks):
    campaign = make_open_campaign()
    sign_in(client, campaign)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address("cut_release", campaign), {"version": "1.0.0"})

    assert campaign.releases.get().state == "cutting"
    assert sent == ["exports.tasks.cut_release"]
    assert "Being cut now" in text(client.get(address("releases_part", campaign)))


@pytest.mark.parametrize(("version", "status"), [("1.0.0", 409), ("../up", 400), ("", 400), ("x" * 40, 400)])
def test_versions_that_cannot_be_cut(client, version, status):
    campaign = make_open_campaign()
    cut_release(campaign, "1.0.0", now=timezone.now())
    sign_in(client, campaign)

    assert client.post(address("cut_release", campaign), {"version": version}).status_code == status
    assert campaign.releases.count() == 1


def make_release(*, simulated=False):
    campaign = make_open_campaign(is_demo=True)
    if simulated:
        simulate(campaign, 7, now=timezone.now())
    return cut_release(campaign, "1.0.0", now=timezone.now())


def test_release_page_shows_files_and_findings(client):
    release = make_release(simulated=True)
    sign_in(client, release.campaign)
    page = client.get(address("release", release.campaign, "1.0.0"))

    assert "data/ratings.parquet" in text(page)
    assert {finding.criterion for finding in page.context["findings"]} == {"acceptable", "helpful"}
    assert "1.1.0" in text(client.get(address("campaign", release.campaign)))


def test_simulated_annotators_are_not_published(client):
    release = make_release(simulated=True)
    sign_in(client, release.campaign)
    response = client.post(address("publish_release", release.campaign, "1.0.0"))

    release.refresh_from_db()
    assert response.status_code == 409
    assert "simulated annotators" in text(response)
    assert release.state == "draft"


def test_researchers_see_a_release_once_it_is_published(client):
    release = make_release()
    page = address("release", release.campaign, "1.0.0")
    sign_in(client, release.campaign, role=Role.RESEARCHER)
    before = client.get(page).status_code
    sign_in(client, release.campaign)
    client.post(address("publish_release", release.campaign, "1.0.0"))
    sign_in(client, release.campaign, role=Role.RESEARCHER)

    assert (before, client.get(page).status_code) == (404, 200)


def test_files_are_sent_byte_for_byte(client):
    release = make_release()
    file = release.files.get(path="README.md")
    sign_in(client, release.campaign)
    response = client.get(address("release_file", release.campaign, "1.0.0", file.path))

    assert response.headers["ETag"] == f'"{file.sha256}"'
    assert len(response.getvalue()) == file.size
    assert client.get(address("release_file", release.campaign, "1.0.0", "no.txt")).status_code == 404


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_is_shown_once(client):
    sign_in(client)
    page = client.post(reverse("console:tokens"), {"action": "create"})
    token = page.context["new_token"]

    assert token in text(page)
    assert token not in text(client.get(reverse("console:tokens")))
    assert client.get("/api/v1/releases/", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_only_ones_own_tokens_can_be_revoked(client):
    other, _token = AuthToken.objects.create(make_user())
    mine, _token = AuthToken.objects.create(sign_in(client))
    for token in (other, mine):
        client.post(reverse("console:tokens"), {"action": "revoke", "token": token.token_key})

    assert list(AuthToken.objects.all()) == [other]


def test_generating_is_paused_resumed_and_stopped_by_buttons_that_fit(client, sent):
    campaign = make_campaign()
    make_prompt(campaign)
    make_generator(campaign)
    sign_in(client, campaign)
    page = text(client.post(address("generate", campaign), follow=True))
    assert ("Pause generating" in page, "Stop generating" in page, "Go on" in page) == (True, True, False)

    page = text(client.post(address("generation_step", campaign), {"action": "pause"}, follow=True))
    assert ("Generating is paused." in page, "Pause generating" in page) == (True, False)
    page = text(client.post(address("generation_step", campaign), {"action": "resume"}, follow=True))
    assert "Candidates are being generated." in page
    page = text(client.post(address("generation_step", campaign), {"action": "cancel"}, follow=True))
    assert ("Generate 1 candidate" in page, "Stop generating" in page) == (True, False)


def test_what_failed_can_be_tried_again(client, sent):
    campaign = make_campaign()
    candidate = make_candidate(make_prompt(campaign), make_generator(campaign))
    run = GenerationRun.objects.create(generator=candidate.generator, state="done")
    campaign.candidates.update(run=run, state="failed", error="no")
    sign_in(client, campaign)
    assert "Try 1 failed candidate again" in text(client.get(address("campaign", campaign)))

    client.post(address("generation_step", campaign), {"action": "retry"})

    assert campaign.candidates.get().state == "planned"


def test_buttons_are_part_of_what_htmx_asks_for(client, sent):
    campaign = make_campaign()
    make_prompt(campaign)
    make_generator(campaign)
    sign_in(client, campaign)
    client.post(address("generate", campaign))

    part = text(client.get(address("campaign_progress", campaign)))
    assert 'id="generation-actions" hx-swap-oob="true"' in part
    assert "Pause generating" in part


def test_progress_tells_speed_time_and_cost(client, sent):
    campaign = make_campaign()
    generator = make_generator(campaign, samples=4)
    prompt = make_prompt(campaign)
    begun = timezone.now() - timedelta(seconds=30)
    run = GenerationRun.objects.create(generator=generator, state="running", started_at=begun)
    for index in range(2):
        done = {"run": run, "new_tokens": 60, "cost": 0.25, "generated_at": timezone.now()}
        make_candidate(prompt, generator, sample_index=index, **done)
    sign_in(client, campaign)
    page = text(client.get(address("campaign", campaign)))

    assert re.search(r"\b[34] tokens a second", page)  # 120 tokens in 30 seconds
    assert re.search(r"about (3|4)\d seconds left", page)  # two of four in thirty seconds
    assert "US$0.50" in page


def test_a_queue_without_a_worker_is_named(client):
    campaign = make_open_campaign()
    make_generator(campaign, queue="large-gpu")
    record_heartbeat("w", ["empanel", "generation"], timezone.now())
    sign_in(client, campaign)
    page = text(client.get(address("campaign", campaign)))

    assert "No running worker takes the queue large-gpu." in page
    assert "worker --queues large-gpu</code>" in page
