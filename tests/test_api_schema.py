"""The OpenAPI document says all there is, without a warning, and with the refusals."""

import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import URLResolver, get_resolver
from knox.models import AuthToken

from tests.api_client import client_for
from tests.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema():
    return json.loads(
        client_for().get("/api/schema/?format=json", headers={"Accept": "application/json"}).content
    )


def addresses(patterns, prefix=""):
    for entry in patterns:
        route = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, route)
        else:
            yield "/" + route


def test_document_is_valid_and_without_warnings(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))

    assert "openapi: 3.1" in (tmp_path / "schema.yaml").read_text()


def test_every_address_is_documented(schema):
    ours = {address for address in addresses(get_resolver().url_patterns) if address.startswith("/api/v1/")}

    # Django calls a release's key pk, the document id
    assert {path.replace("{id}", "{pk}") for path in schema["paths"]} == ours
    assert len(ours) >= 18


def test_every_operation_says_how_it_refuses(schema):
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert {"401", "404", "429"} <= operation["responses"].keys(), (method, path)
            assert operation["description"], (method, path)
            assert {"token": []} in operation["security"]
            reference = operation["responses"]["401"]["content"]["application/json"]["schema"]["$ref"]
            assert reference == "#/components/schemas/Error"


def test_schema_and_docs_need_no_token():
    assert client_for().get("/api/schema/").status_code == 200
    assert client_for().get("/api/docs/").status_code == 200


def test_docs_have_nothing_inline():
    html = client_for().get("/api/docs/").content.decode()

    assert "<style" not in html
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", html)


def test_create_token_prints_one_that_works(capsys):
    make_user("ada")
    call_command("create_token", "ada", "--days", "7")
    token = capsys.readouterr().out.strip()
    client = client_for()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    assert client.get("/api/v1/campaigns/").status_code == 200
    assert AuthToken.objects.get().expiry is not None


@pytest.mark.parametrize(
    "arguments", [["nobody"], ["ada", "--days", "0"], ["ada", "--days", "99999999"], ["gone"]]
)
def test_create_token_refuses(arguments):
    make_user("ada")
    make_user("gone", is_active=False)
    with pytest.raises(CommandError):
        call_command("create_token", *arguments)
    assert not AuthToken.objects.exists()
