"""Structured logs on standard output: readable lines on a console, or one JSON object a line."""

import logging.config
from collections.abc import Mapping

import structlog

SHARED_PROCESSORS = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Request metadata that may identify a person never reaches a log line.
PERSONAL_KEYS = ("ip", "user_agent", "user_id", "query_string")


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
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django.utils.autoreload": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "axes": {"level": "ERROR"},
        },
    }
