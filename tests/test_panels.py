"""From a file of volunteers to a panel that enters by invitation and is weighted by its chances."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotations.enrolment import withdraw
from annotations.models import InvitationCode, Volunteer
from annotations.panels import AlreadyDrawn, draw_for, read_pool, read_quotas
from annotations.sortition import PanelQuota, QuotasClash
from collector.tabular import IntakeError
from exports.releases import cut_release, release_folder
from tests.builders import make_open_campaign
from tests.jurors import NOW, sit_and_rate
from tests.people import Person

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
POOL = "volunteer_id,side\n" + "".join(f"secret-{n},{'left' if n < 6 else 'right'}\n" for n in range(8))
HALVES = [PanelQuota("side", "left", 2, 2), PanelQuota("side", "right", 2, 2)]


@pytest.fixture
def campaign():
    return make_open_campaign("town", prompts=1, strata=SIDES, seats_per_stratum=2)


def make_pool(text=POOL):
    return read_pool(io.BytesIO(text.encode()), "pool.csv")


def test_everybodys_chance_is_kept_and_nobodys_name(campaign):
    members = draw_for(campaign, make_pool(), 4, quotas=HALVES)

    # Two of six on the left, two of two on the right.
    chances = {one.attributes["side"]: one.selection_probability for one in campaign.volunteers.all()}
    assert chances == {"left": pytest.approx(1 / 3), "right": pytest.approx(1.0)}
    assert campaign.volunteers.exclude(invitation=None).count() == len(members) == 4
    assert "secret" not in json.dumps(list(Volunteer.objects.values("id_hash", "attributes")))


def test_a_member_enters_by_their_code_once_with_weight_and_stratum(campaign):
    member = draw_for(campaign, make_pool(), 4, quotas=HALVES)[0]

    person = Person(campaign).join(code=member.code).agree()

    assert person.annotator.weight == pytest.approx(3.0)  # 1 / (2 of 6)
    assert str(person.annotator.stratum) == "left"
    assert Person(campaign).join(code=member.code).agree().response.status_code >= 400


def test_a_release_carries_the_weight(campaign, tmp_path, settings):
    backend = "django.core.files.storage.FileSystemStorage"
    options = {"location": tmp_path, "base_url": None}
    releases = {"BACKEND": backend, "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"releases": releases}
    member = draw_for(campaign, make_pool(), 4, quotas=HALVES)[0]
    sit_and_rate(Person(campaign).join(code=member.code).agree().annotator, now=timezone.now())

    release = cut_release(campaign, "1.0", now=timezone.now())

    folder = Path(storages["releases"].path(release_folder(release)))
    assert pq.read_table(folder / "data/annotators.parquet")["weight"].to_pylist() == [pytest.approx(3.0)]


def test_who_withdraws_leaves_a_chance_and_nothing_about_themselves(campaign):
    member = draw_for(campaign, make_pool(), 4, quotas=HALVES)[0]
    annotator = Person(campaign).join(code=member.code).agree().annotator
    volunteer = Volunteer.objects.get(invitation__annotator=annotator)

    withdraw(annotator, now=NOW)

    volunteer.refresh_from_db()
    assert (volunteer.attributes, volunteer.selection_probability) == ({}, pytest.approx(1 / 3))


def test_drawing_again_takes_back_codes_until_one_is_used(campaign):
    first = draw_for(campaign, make_pool(), 4, quotas=HALVES)
    second = draw_for(campaign, make_pool(), 4, quotas=HALVES)
    assert [one.volunteer_id for one in second] == [one.volunteer_id for one in first]
    assert InvitationCode.objects.count() == 4

    Person(campaign).join(code=second[0].code).agree()
    with pytest.raises(AlreadyDrawn):
        draw_for(campaign, make_pool(), 4, quotas=HALVES)
    assert campaign.volunteers.count() == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("volunteer_id,side\na,left\na,right\n", 'pool.csv line 3: "volunteer_id" is there twice'),
        ("volunteer_id,side\n,left\n", 'pool.csv line 2: "volunteer_id" is empty'),
        ("name,side\na,left\n", 'pool.csv line 2: "volunteer_id" is missing'),
        ("volunteer_id,side\n", "has no rows"),
    ],
)
def test_faults_of_a_pool_name_line_and_column(text, said):
    with pytest.raises(IntakeError) as error:
        make_pool(text)
    assert said in str(error.value)


def test_every_volunteer_needs_the_attributes_that_quotas_name(campaign):
    pool = make_pool("volunteer_id,side\na,left\nb,\n")

    with pytest.raises(IntakeError) as error:
        draw_for(campaign, pool, 1, proportional=["side"], name="pool.csv")
    assert str(error.value.problems[0]) == 'pool.csv line 3: "side" is empty'
    assert not Volunteer.objects.exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("side,left,2,", 'line 2: "maximum" is empty'),
        ("side,left,two,3", '"minimum" is not a whole number'),
        ("side,left,3,2", '"maximum" is below the minimum'),
    ],
)
def test_faults_of_quotas_name_line_and_column(row, said):
    with pytest.raises(IntakeError) as error:
        read_quotas(io.BytesIO(f"attribute,level,minimum,maximum\n{row}\n".encode()), "quotas.csv")
    assert said in str(error.value)


def test_the_command_writes_codes_with_chances(campaign, tmp_path, capsys):
    (tmp_path / "pool.csv").write_text(POOL)
    (tmp_path / "quotas.csv").write_text("attribute,level,minimum,maximum\nside,left,2,2\nside,right,2,2\n")
    out = tmp_path / "panel.csv"

    call_command("draw_panel", "town", tmp_path / "pool.csv", size=4, quotas=tmp_path / "quotas.csv", out=out)

    lines = out.read_text().splitlines()
    assert lines[0] == "volunteer_id,code,link,selection_probability,weight"
    assert len(lines) == 5
    assert "4 drawn, with chances from 0.3333 to 1.0000" in capsys.readouterr().out


def test_the_command_says_which_quotas_would_do(campaign, tmp_path):
    (tmp_path / "pool.csv").write_text(POOL)
    (tmp_path / "quotas.csv").write_text("attribute,level,minimum,maximum\nside,right,3,3\n")

    with pytest.raises(CommandError, match="side right: 2 to 3"):
        call_command(
            "draw_panel",
            "town",
            tmp_path / "pool.csv",
            size=4,
            quotas=tmp_path / "quotas.csv",
            out=tmp_path / "panel.csv",
        )


def test_a_clash_stores_nothing(campaign):
    with pytest.raises(QuotasClash):
        draw_for(campaign, make_pool(), 4, quotas=[PanelQuota("side", "right", 3, 3)])
    assert not InvitationCode.objects.exists()
