"""What annotators wrote leaves only as somebody read and released it, and says what patterns found."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from annotations.models import Annotator, ValueProfile
from collector.models import Membership
from exports.interchange import import_campaign
from exports.models import TextReview
from exports.redaction import PATTERNS, changed_spans, cut_up, find_spans, redact
from exports.releases import cut_release, release_folder
from exports.text_review import waiting_texts
from tests.builders import make_open_campaign, make_user
from tests.folders import SETTINGS, write_small

WROTE = "I am Ann, write to ann@example.org or +44 20 7946 0958."
URL = "/console/c/study/texts/"


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path):
    options = {"location": tmp_path / "releases", "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "releases": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }


def make_study(folder: Path, tier="restricted"):
    people = [{"annotator_id": f"a{n}", "profile_text": WROTE if n == 0 else None} for n in range(6)]
    people[1]["profile_text"] = "I value calm."
    ratings = [
        {"annotator_id": one["annotator_id"], "candidate_id": "p1-a", "criterion": "good", "value": 3}
        for one in people
    ]
    policy = {"tier": tier, "attributes": [], "free_text": True}
    whole = SETTINGS | {"privacy": policy}
    return import_campaign(write_small(folder, whole, annotators=people, ratings=ratings), "study")


@pytest.fixture
def study(db, tmp_path):
    return make_study(tmp_path / "source")


@pytest.fixture
def manager(study, client):
    user = make_user("reader")
    Membership.objects.create(user=user, campaign=study, role="manager")
    client.force_login(user)
    return user


def profile_of(text):
    return ValueProfile.objects.get(text=text)


def decide(client, text, **sent):
    return client.post(f"{URL}{profile_of(text).pk}/", {"decision": "released", "redacted": ""} | sent)


def released(study, version="1.0"):
    release = cut_release(study, version, now=timezone.now())
    folder = Path(storages["releases"].path(release_folder(release)))
    rows = pq.read_table(folder / "data" / "annotators.parquet")["profile_text"].to_pylist()
    privacy = json.loads((folder / "MANIFEST.json").read_text())["privacy"]
    return sorted(text for text in rows if text), privacy["texts"], folder


def test_texts_that_nobody_read_are_left_out_and_counted(study):
    texts, counts, folder = released(study)

    assert texts == []
    assert counts == {"released": 0, "kept_back": 0, "waiting": 2}
    assert "2 are left out because nobody has read them yet" in (folder / "README.md").read_text()


def test_an_internal_release_carries_them_and_says_so(db, tmp_path):
    texts, counts, folder = released(make_study(tmp_path / "source", tier="internal"))

    assert texts == sorted([WROTE, "I value calm."])
    assert counts == {"as_written": 2}
    assert "nobody has reviewed them" in (folder / "README.md").read_text()


def test_a_text_leaves_as_it_was_redacted_and_not_otherwise(study, manager, client):
    page = client.get(f"{URL}{profile_of(WROTE).pk}/").content.decode()
    assert '<mark title="email">ann@example.org</mark>' in page
    assert "write to [email] or [phone]." in page

    decide(client, WROTE, redacted="I am [name], write to [email] or [phone].")
    decide(client, "I value calm.", decision="kept_back")

    texts, counts, folder = released(study)
    assert texts == ["I am [name], write to [email] or [phone]."]
    assert counts == {"released": 1, "kept_back": 1, "waiting": 0}
    for path in folder.rglob("*.*"):
        assert b"ann@example.org" not in path.read_bytes()


def test_who_decided_what_and_when_is_kept(study, manager, client):
    decide(client, WROTE, redacted="I am [name], write to [email] or [phone].")
    review = TextReview.objects.get()

    assert (review.original, review.decided_by) == (WROTE, manager)
    assert [(WROTE[span["start"] : span["end"]], span["kind"]) for span in review.spans] == [
        ("Ann,", "edited"), ("ann@example.org", "email"), ("+44 20 7946 0958.", "phone"),
    ]  # fmt: skip


def test_a_later_decision_counts_from_then_on_and_the_first_stays(study, manager, client):
    decide(client, "I value calm.", redacted="I value calm.")
    first = released(study, "1.0")[0]
    decide(client, "I value calm.", decision="kept_back")

    assert released(study, "2.0")[0] == []
    assert released(study, "1.0")[0] == first == ["I value calm."]
    assert TextReview.objects.count() == 2


def test_what_the_patterns_still_find_is_not_released_unless_somebody_says_it_is_harmless(
    study, manager, client
):
    refused = decide(client, WROTE, redacted=WROTE)
    assert refused.status_code == 400
    assert "still hold what may say who somebody is" in refused.content.decode()
    assert not TextReview.objects.exists()

    assert decide(client, WROTE, redacted="It was on 2026-01-31.", is_harmless="on").status_code == 302


def test_an_empty_text_is_not_released(study, manager, client):
    assert decide(client, WROTE, redacted="  ").status_code == 400


def test_the_queue_ends(study, manager, client):
    assert "2 texts of 2 wait" in client.get(URL).content.decode()
    following = decide(client, WROTE, decision="kept_back")
    assert following["Location"] == f"{URL}{profile_of('I value calm.').pk}/"
    assert decide(client, "I value calm.", decision="kept_back")["Location"] == URL


def test_words_that_changed_are_read_again(study, manager, client):
    decide(client, "I value calm.", redacted="I value calm.")
    annotator = profile_of("I value calm.").annotator
    ValueProfile.objects.create(annotator=annotator, version=2, text="I am at 12 Mill Lane.")

    assert released(study)[0] == []
    assert "2 texts of 2 wait" in client.get(URL).content.decode()


def test_withdrawing_a_profile_withdraws_every_copy_of_its_words(study, manager, client):
    decide(client, WROTE, redacted="I am [name].")
    Annotator.objects.get(external_id="a0").profiles.all().delete()

    assert not TextReview.objects.exists()


def test_only_managers_read_texts(study, client):
    user = make_user()
    client.force_login(user)
    assert client.get(URL).status_code == 404
    Membership.objects.create(user=user, campaign=study, role="researcher")

    assert client.get(URL).status_code == 403
    assert client.get(f"{URL}{profile_of(WROTE).pk}/").status_code == 403


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ann.b+c@mail.example.co.uk", "email"), ("https://example.org/me?x=1", "url"),
        ("www.me.example", "url"), ("me.io", "url"), ("@ann_b", "handle"), ("+44 (0)20 7946 0958", "phone"),
        ("030/1234567", "phone"),
        ("DE89 3704 0044 0532 0130 00", "iban"), ("GB82WEST12345698765432", "iban"),
        ("5f0c8b9a1d2e3f4a5b6c7d8e", "prolific_id"),
    ],
)  # fmt: skip
def test_patterns_find(text, kind):
    assert [(span.start, span.end, span.kind) for span in find_spans(f"so {text} so")] == [
        (3, 3 + len(text), kind)
    ]


@pytest.mark.parametrize(
    "text", ["I was born in 1984.", "1,234,567 people", "a@b", "3.14 and 2.71", "e.g. this"]
)
def test_patterns_leave_alone(text):
    assert find_spans(text) == []


@given(st.text("ab1 @.+-/:", max_size=80))
def test_a_redacted_text_reads_on_around_what_was_taken_out(text):
    spans = find_spans(text)

    assert "".join(part for part, _kind in cut_up(text, spans)) == text
    assert all(kind in PATTERNS for _start, _end, kind in spans)
    assert changed_spans(text, text) == []
    assert len(redact(text, spans)) >= len(text) - sum(span.end - span.start for span in spans)


@pytest.mark.parametrize(
    ("consents", "waits"),
    [
        ([["take_part", "release_free_text"]], 1),
        ([["take_part"]], 0),
        ([["release_free_text"], ["take_part"]], 0),  # the latest counts
        ([], 0),
    ],
)
def test_only_texts_that_people_let_be_released_wait(db, consents, waits):
    campaign = make_open_campaign("people", prompts=1)
    annotator = Annotator.objects.create(campaign=campaign)
    ValueProfile.objects.create(annotator=annotator, version=1, text="I value calm.")
    for scopes in consents:
        annotator.consents.create(document=campaign.consent_documents.get(), scopes=scopes)

    assert waiting_texts(campaign).count() == waits
