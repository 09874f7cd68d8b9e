"""The console's pages of generators: steerings row by row without JavaScript, previews, profiles, totals."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations.models import Annotator, Consent, Scope, ValueProfile
from collector.models import Membership
from collector.steering_spec import Kind
from console.steering_form import make_entry, rows_of_entries, text_of
from tests.builders import (
    make_campaign,
    make_candidate,
    make_consent,
    make_criterion,
    make_generator,
    make_prompt,
    make_user,
)

pytestmark = pytest.mark.django_db

NEW = {"name": "gen", "provider": "scripted", "samples": 2, "temperature": 1, "max_new_tokens": 64}
ENTRIES = [
    {"label": "formal", "system": "Be formal."},
    {"label": "nurse", "persona": "A nurse.\nRetired."},
    {"label": "p", "profile": {"scores": {"open_to": 0.75, "b": -2.0}, "text": "I keep my word."}},
    {"label": "old", "attribute": "age_band", "level": "55+"},
    {"label": "kind", "weights": {"kind": 0.7, "honest": 0.3}},
    {"label": "es", "language": "es"},
    {"label": "un", "unlike": True},
    {},
]


@pytest.fixture
def manager():
    return make_user("manager")


@pytest.fixture
def campaign(manager, client):
    campaign = make_campaign()
    Membership.objects.create(campaign=campaign, user=manager, role=Membership.Role.MANAGER)
    for name in ("kind", "honest"):
        make_criterion(campaign, name)
    client.force_login(manager)
    return campaign


@pytest.fixture
def send(client, campaign):
    """Sends the form of the new generator, or of the one named, with the rows and whatever is pressed."""

    def _send(rows=(), name=None, **fields):
        columns = {f"steering-{column}": [row.get(column, "") for row in rows] for column in ROW}
        return client.post(address(campaign, name), (NEW if name is None else {}) | columns | fields)

    return _send


ROW = ("kind", "label", "text")


def address(campaign, name=None):
    more = [] if name is None else [name]
    return reverse("console:generator" if more else "console:generators", args=[campaign.slug, *more])


def text(response):
    return unescape(response.content.decode())


def rows_shown(response):
    """The rows of the form as they came back: kind, label and text of each."""
    page = text(response)
    kinds = [
        re.search(r'<option value="(\w+)" selected', select)[1]
        for select in re.findall(r'<select name="steering-kind".*?</select>', page, re.S)
    ]
    labels = [
        (re.search(r'value="([^"]*)"', tag) or ["", ""])[1]
        for tag in re.findall(r'<input[^>]*name="steering-label"[^>]*>', page)
    ]
    texts = [found.strip() for found in re.findall(r'<textarea name="steering-text".*?>(.*?)<', page, re.S)]
    return [dict(zip(ROW, row, strict=True)) for row in zip(kinds, labels, texts, strict=True)]


# --- rows -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.get("label", "plain"))
def test_what_is_written_for_a_steering_gives_it_back(entry):
    [row] = rows_of_entries([entry])

    assert make_entry(Kind(row["kind"]), row["label"], row["text"]) == entry


def test_every_kind_is_stored_as_it_is_written(campaign, send):
    assert send(rows_of_entries(ENTRIES)).status_code == 302

    assert campaign.generators.get().steerings == ENTRIES


def test_rows_that_say_nothing_are_none(campaign, send):
    send([{"kind": "system"}, {"kind": "persona", "label": " "}])

    assert campaign.generators.get().steerings == []


def test_another_row_and_one_less_come_without_a_script_and_store_nothing(campaign, send):
    formal, nurse = rows_of_entries(ENTRIES[:2])

    assert rows_shown(send([formal], action="more")) == [formal, {"kind": "system", "label": "", "text": ""}]
    assert rows_shown(send([formal, nurse], drop="0")) == [nurse]
    assert rows_shown(send([formal], drop="0")) == [{"kind": "system", "label": "", "text": ""}]
    assert not campaign.generators.exists()


WRONG = {
    "these add up to 0.9": {"kind": "weights", "label": "x", "text": "kind: 0.7\nhonest: 0.2"},
    'There is no criterion "brave"': {"kind": "weights", "label": "x", "text": "brave: 1"},
    "Write one attribute and its level": {"kind": "attribute", "label": "x", "text": "age_band"},
    "no language code": {"kind": "language", "label": "x", "text": "Spanish!"},
    "This kind takes no text": {"kind": "unlike", "label": "x", "text": "nothing like it"},
    "Write what is to be said": {"kind": "system", "label": "x"},
    "Another steering has this label": {"kind": "persona", "label": "formal", "text": "A nurse."},
    "Select a valid choice": {"kind": "telepathy", "label": "x", "text": "y"},
}


@pytest.mark.parametrize("words", WRONG)
def test_mistakes_stand_at_their_row_and_nothing_is_stored(campaign, send, words):
    response = send([*rows_of_entries(ENTRIES[:1]), WRONG[words]])

    assert response.status_code == 400
    page = text(response)
    assert words in page
    assert page.index(words) > page.index("steering-kind-1")
    assert not campaign.generators.exists()


# --- one generator's plan ---------------------------------------------------------------------------
def test_a_plan_can_change_after_candidates_were_made(campaign, send, client):
    generator = make_generator(campaign, "used", steerings=ENTRIES[:1])
    make_candidate(make_prompt(campaign), generator, steering="formal")
    shown = rows_shown(client.get(address(campaign, "used")))
    send([*shown, *rows_of_entries(ENTRIES[1:2])], name="used", samples=3)

    generator.refresh_from_db()
    assert (generator.steerings, generator.samples) == (ENTRIES[:2], 3)
    assert campaign.candidates.count() == 1


def test_a_plan_stands_still_once_the_campaign_has_been_opened(campaign, send):
    make_generator(campaign, "used")
    type(campaign).objects.update(state="open")

    assert send(rows_of_entries(ENTRIES[:1]), name="used", samples=3).status_code == 409
    assert campaign.generators.get().samples == 1


def test_a_plan_is_for_managers(campaign, client):
    make_generator(campaign, "used")
    client.force_login(make_user("stranger"))
    assert client.get(address(campaign, "used")).status_code == 404
    researcher = make_user("researcher")
    Membership.objects.create(campaign=campaign, user=researcher, role=Membership.Role.RESEARCHER)
    client.force_login(researcher)

    assert client.get(address(campaign, "used")).status_code == 403
    assert client.post(address(campaign, "used"), {"samples": 9}).status_code == 403


# --- preview ----------------------------------------------------------------------------------------
def test_the_messages_to_the_first_prompt_are_shown_and_nothing_is_stored(campaign, send):
    make_prompt(campaign, text="¿Es justo?", language="es", position=0)
    page = text(send(rows_of_entries(ENTRIES), action="preview"))

    assert "¿Es justo?" in page
    assert "Responde como lo haría esta persona" in page
    assert "- Is it kind? (70%)" in page
    assert "(the text of the sample before)" in page
    assert not campaign.generators.exists()


def test_without_a_prompt_the_preview_says_so(send):
    assert "There is no prompt yet" in text(send(rows_of_entries(ENTRIES[:1]), action="preview"))


# --- profiles ---------------------------------------------------------------------------------------
def test_diverse_profiles_of_ones_own_campaigns_become_rows(campaign, manager, send):
    pilot, theirs = make_campaign("pilot"), make_campaign("theirs")
    Membership.objects.create(campaign=pilot, user=manager, role=Membership.Role.MANAGER)
    for other, words in ((pilot, "I keep my word."), (theirs, "A stranger's words.")):
        document = make_consent(other)
        annotator = Annotator.objects.create(campaign=other)
        Consent.objects.create(annotator=annotator, document=document, scopes=list(Scope.values))
        ValueProfile.objects.create(annotator=annotator, version=1, scores={"a": 2}, text=words)
    formal = rows_of_entries(ENTRIES[:1])
    taken = send(formal, action="profiles", profiles_from="pilot", profiles="3")
    refused = send(formal, action="profiles", profiles_from="theirs", profiles="3")

    assert rows_shown(taken) == [
        *formal,
        {"kind": "profile", "label": "profile 1", "text": "a: 2.0\n\nI keep my word."},
    ]
    assert "There is no profile whose owner allows this." in text(refused)
    assert "stranger's words" not in text(refused)


# --- totals -----------------------------------------------------------------------------------------
def test_what_the_plans_come_to_is_said_before_anything_is_generated(campaign, client):
    for number in range(3):
        make_prompt(campaign, f"p{number}", text="Is it fair?")  # 11 bytes
    make_generator(campaign, "two", steerings=[{"label": "a", "system": "Four"}, {}], samples=2,
                   max_new_tokens=100, prompt_token_price=1000, new_token_price=2000)  # fmt: skip
    make_generator(campaign, "imported", provider="imported")
    page = re.sub(r"\s+", " ", text(client.get(address(campaign))))

    assert "3 × 2 × 2 = 12" in page
    assert "All plans together: 12 candidates, of at most 1,200 new tokens." in page
    # 12 candidates of 64 + 11 bytes, and "Four" in half of them: 924 tokens, $0.924; 1,200 new ones: $2.40
    assert "Those with a price cost at most $3.33" in page


def test_an_unlike_chain_counts_the_texts_it_is_shown(campaign, client):
    make_prompt(campaign, text="?")
    make_generator(campaign, steerings=[{"unlike": True}], samples=3, max_new_tokens=1000, new_token_price=0,
                   prompt_token_price=1_000_000)  # fmt: skip
    cost = float(re.search(r"at most \$([\d,.]+)", text(client.get(address(campaign))))[1].replace(",", ""))

    # The second sample is shown one text of 1,000 tokens, the third two; and three times the words for it.
    assert 3000 < cost < 3000 + 3 * (64 + 1 + 400)


def test_queries_do_not_grow_with_generators(campaign, client):
    make_prompt(campaign)
    make_generator(campaign, steerings=ENTRIES[:2])
    with CaptureQueriesContext(connection) as few:
        client.get(address(campaign))
    for _ in range(5):
        make_generator(campaign, steerings=ENTRIES)
    with CaptureQueriesContext(connection) as many:
        client.get(address(campaign))

    assert len(many) == len(few)


def test_progress_counts_what_is_left_under_every_steering(campaign, client):
    make_prompt(campaign)
    generator = make_generator(campaign, steerings=[{"label": "new", "system": "x"}, {}], samples=2)
    make_candidate(campaign.prompts.get(), generator, steering="gone")
    page = text(client.get(reverse("console:campaign", args=[campaign.slug])))

    assert "Generate 4 candidates" in page
    assert "All plans together: 4 candidates, of at most 512 new tokens." in page


def test_texts_of_a_plain_kind_are_empty():
    assert text_of({"label": "x"}) == text_of({"unlike": True}) == ""
