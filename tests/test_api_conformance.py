"""Requests made up from the API's own document: answers are as documented, and nothing ever crashes."""

from itertools import cycle

import pytest
import schemathesis
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from knox.models import AuthToken
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from collector.models import GenerationRun, Membership
from collector.wsgi import application
from exports.releases import cut_release
from tests.builders import GENDER, make_open_campaign, make_user
from tests.jurors import make_juror, sit_and_rate

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def schema():
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)


@pytest.fixture
def manager():
    return make_user("manager", is_superuser=True)


@pytest.fixture
def headers(manager):
    return {"Authorization": f"Bearer {AuthToken.objects.create(manager)[1]}"}


@pytest.fixture
def known(manager, settings, tmp_path):
    """Names of things that exist, put in the place of some made-up ones."""
    settings.STORAGES = settings.STORAGES | {
        "releases": settings.RELEASE_STORAGE | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    }
    campaign = make_open_campaign("ours", prompts=2, strata=[GENDER])
    Membership.objects.create(campaign=campaign, user=manager, role="manager")
    sit_and_rate(make_juror(campaign, "woman"))
    release = cut_release(campaign, "1.0.0", now=timezone.now())
    run = GenerationRun.objects.create(pk=release.pk, generator=campaign.generators.first())
    return {"slug": "ours", "id": run.pk, "path": "data/ratings.parquet", "position": 0}


def fuzz(operation, headers, known, mode):
    answers, is_real = set(), cycle([True, False])

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        cache.clear()
        if next(is_real):
            case.path_parameters.update({name: known[name] for name in case.path_parameters})
        response = case.call(headers=headers)
        answers.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    run()
    return answers


def test_reads_answer_as_documented(schema, headers, known):
    for result in schema.include(method="GET").get_all_operations():
        operation = result.ok()
        answers = [fuzz(operation, headers, known, mode) for mode in GenerationMode]

        assert 200 in set.union(*answers), operation.label


def test_writes_answer_as_documented(schema, headers, known):
    for result in schema.include(method=["POST", "PATCH"]).get_all_operations():
        for mode in GenerationMode:
            fuzz(result.ok(), headers, known, mode)
