"""The collector application."""

from django.apps import AppConfig


class CollectorConfig(AppConfig):
    name = "collector"

    def ready(self) -> None:
        import collector.heartbeat  # noqa: F401  (its functions wait for Celery's signals)
