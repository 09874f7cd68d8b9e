"""Clients of the API with a token, and a check of the one error shape."""

import json

from knox.models import AuthToken
from rest_framework.test import APIClient

from collector.models import User


def client_for(user: User | None = None, **options) -> APIClient:
    client = APIClient(**options)
    if user:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(user)[1]}")
    return client


def error_of(response, status: int) -> dict:
    """The error, once its shape is known to be right."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    body = json.loads(response.content)
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "fields"}
    assert isinstance(body["error"]["code"], str)
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["message"]
    for name, problems in body["error"]["fields"].items():
        assert isinstance(name, str)
        assert problems
        assert all(isinstance(problem, str) for problem in problems)
    return body["error"]
