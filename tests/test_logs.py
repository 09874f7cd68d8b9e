"""Log lines, in both formats, hold nothing about a person."""

import io
import json
import logging

import pytest
import structlog
from django.conf import settings as django_settings

from collector.logs import configure, is_worth_a_line

PERSONAL = {
    "PROLIFIC_PID": "5f2b8c1e9d4a7b3c6e0f1a2d",
    "STUDY_ID": "60aa11bb22cc33dd44ee55ff",
    "SESSION_ID": "77aa88bb99cc00dd11ee22ff",
    "token": "eyJhbGciOiJub25lIn0",
}


@pytest.fixture(params=["console", "json"])
def log(request):
    """What is logged, as text, in one of the formats; the usual configuration is back afterwards."""
    configure({"format": request.param, "level": "DEBUG"})
    stream = io.StringIO()
    (handler,) = logging.getLogger().handlers
    handler.setStream(stream)
    yield stream
    structlog.contextvars.clear_contextvars()
    configure(django_settings.LOGGING)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/join/nowhere/", "/no/such/page/", "/join/nowhere"])
def test_a_request_leaves_no_platform_id(client, log, path):
    client.get(
        path,
        PERSONAL,
        HTTP_USER_AGENT="Browser/1.0 (of a person)",
        REMOTE_ADDR="203.0.113.77",
        HTTP_REFERER="https://platform.example/?PROLIFIC_PID=" + PERSONAL["PROLIFIC_PID"],
    )
    text = log.getvalue()

    assert path in text
    assert not [value for value in [*PERSONAL.values(), "203.0.113.77", "of a person"] if value in text]


@pytest.mark.django_db
def test_an_error_leaves_no_platform_id(client, log, monkeypatch):
    def fail(request):
        raise RuntimeError("broken")

    monkeypatch.setattr(
        "django.middleware.common.CommonMiddleware.process_request", lambda self, request: fail(request)
    )
    client.raise_request_exception = False
    client.get("/join/nowhere/", PERSONAL, REMOTE_ADDR="203.0.113.77")
    text = log.getvalue()

    assert "broken" in text
    assert not [value for value in [*PERSONAL.values(), "203.0.113.77"] if value in text]


@pytest.mark.django_db
def test_health_requests_are_not_logged(client, log):
    client.get("/healthz")
    client.get("/readyz")
    client.get("/metrics", REMOTE_ADDR="10.0.0.8")

    assert log.getvalue() == ""


def test_a_json_line_is_one_object():
    configure({"format": "json", "level": "INFO"})
    stream = io.StringIO()
    (handler,) = logging.getLogger().handlers
    handler.setStream(stream)
    try:
        structlog.get_logger("some.module").info("candidate_failed", candidate=7, text="two\nlines")
        logging.getLogger("other").warning("plain %s", "text")
    finally:
        configure(django_settings.LOGGING)
    first, second = map(json.loads, stream.getvalue().splitlines())

    assert (first["event"], first["candidate"], first["level"], first["logger"]) == (
        "candidate_failed",
        7,
        "info",
        "some.module",
    )
    assert second["event"] == "plain text"


def test_an_exception_of_a_health_request_is_logged():
    record = logging.LogRecord(
        "django.request", logging.ERROR, "", 1, "x: %s", ("/readyz",), (ValueError, None, None)
    )

    assert is_worth_a_line(record)
