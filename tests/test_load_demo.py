"""Loading the demo: open, with consent in four languages and candidates on their way, once."""

import pytest
from django.core.management import call_command

from annotations.models import ConsentDocument, Stratum
from collector.models import Campaign, Candidate
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo() -> Campaign:
    call_command("load_demo")
    return Campaign.objects.get(slug="demo")


def test_the_demo_is_open_and_marked_as_one(demo):
    assert (demo.state, demo.is_demo, demo.is_imported) == ("open", True, False)


def test_a_platforms_parameters_can_be_tried_on_it(demo):
    person = Person(demo).join(PROLIFIC_PID="5f2b8c1e", STUDY_ID="1", SESSION_ID="2")

    assert person.response.status_code == 200
    assert person.agree().annotator.flags == ["id_unverified"]


def test_consent_speaks_four_languages(demo):
    documents = ConsentDocument.objects.filter(campaign=demo)

    assert sorted(documents.values_list("language", flat=True)) == ["ar", "de", "en", "es"]
    assert documents.get(language="en").title == "Taking part in the demo"


def test_its_jury_is_six_strata_and_anyone(demo):
    assert Stratum.objects.filter(campaign=demo).count() == 7


def test_four_candidates_a_prompt_are_planned(demo):
    assert Candidate.objects.filter(campaign=demo, state="planned").count() == 4 * demo.prompts.count()


def test_loading_twice_changes_nothing(demo):
    call_command("load_demo")

    assert Campaign.objects.filter(slug="demo").count() == 1
