"""The exports application."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"
