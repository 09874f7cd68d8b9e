"""Structured logs on standard output: readable lines on a console, or one JSON object a line."""

import logging.config
from collections.abc import Mapping
from typing import Any

import structlog

SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Request metadata that may identify a person never reaches a log line.
PERSONAL_KEYS = ("ip", "user_agent", "user_id", "query_string")
# Asked every few seconds by machines; what they find wrong shows in their answers.
HEALTH_PATHS = ("/healthz", "/readyz", "/metrics")


def configure(options: Mapping[str, str]) -> None:
    renderer = (
        structlog.processors.JSONRenderer()
        if options["format"] == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_logging_config(renderer, options["level"]))


def drop_personal_data(_: object, __: str, event: dict[str, object]) -> dict[str, object]:
    """Removes what could identify an annotator, and the query of a logged request line."""
    for key in PERSONAL_KEYS:
        event.pop(key, None)
    if isinstance(request := event.get("request"), str):
        event["request"] = request.split("?")[0]
    return event


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """False for the start of a request, whose end is logged too, and for requests about health."""
    if isinstance(record.msg, dict):
        said = f"{record.msg.get('request', '')}"
        if record.msg.get("event") == "request_started":
            return False
    else:
        said = record.getMessage() if record.name == "django.request" else ""
    return record.exc_info is not None or not said.endswith(HEALTH_PATHS)


def _logging_config(renderer: object, level: str) -> dict[str, object]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED_PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    drop_personal_data,
                    structlog.processors.format_exc_info,
                    renderer,
                ],
            }
        },
        "filters": {"worth_a_line": {"()": lambda: is_worth_a_line}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "filters": ["worth_a_line"],
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django.utils.autoreload": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "axes": {"level": "ERROR"},
            # Two lines for every sweep say nothing; failures and retries are warnings or worse.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
