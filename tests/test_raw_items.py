"""Answers to single questions: only in a restricted or internal release whose policy asks for them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.utils import timezone

from annotations.models import ConsentDocument, Scope, ValueProfile
from exports.releases import cut_release, release_folder
from tests.builders import make_open_campaign
from tests.jurors import make_juror, sit_and_rate

pytestmark = pytest.mark.django_db
ANSWERS = {
    "ess-hvs-21": {"answers": {"ipcrtiv": 2, "imprich": {"missing": "declined"}}},
    "core-demographics": {"answers": {"education": "university", "gender_own_words": "my own words"}},
}


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    own = settings.RELEASE_STORAGE | {"OPTIONS": {"location": tmp_path / "releases", "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"releases": own}


def released_items(**policy):
    campaign = make_open_campaign(
        "ours", prompts=1, strata=[], instruments=["core-demographics", "ess-hvs-21"], privacy=policy
    )
    juror = make_juror(campaign)
    document = ConsentDocument.objects.get(campaign=campaign)
    juror.consents.create(document=document, scopes=Scope.values)
    ValueProfile.objects.create(annotator=juror, version=9, answers=ANSWERS)
    sit_and_rate(juror)
    release = cut_release(campaign, "1.0", now=timezone.now())
    folder = Path(storages["releases"].path(release_folder(release)))
    rows = pq.read_table(folder / "data" / "annotators.parquet").to_pylist()
    return {name: value for name, value in rows[0].items() if name.startswith("item_")}


@pytest.mark.parametrize("tier", ["restricted", "internal"])
def test_they_are_there_where_the_policy_asks(tier):
    # The number alone: no refusal, no words, and nothing that an attribute comes from.
    assert released_items(tier=tier, attributes=[], raw_items=True) == {"item_ess_hvs_21_ipcrtiv": 2}


@pytest.mark.parametrize("policy", [{"tier": "open", "raw_items": True}, {"tier": "restricted"}, {}])
def test_they_are_nowhere_else(policy):
    assert released_items(attributes=[], **policy) == {}
