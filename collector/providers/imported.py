"""Candidates written elsewhere and brought along: there is nothing to ask for."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from collector.providers.base import Provider, ProviderError, Request, Response


class Imported(Provider):
    label = _("imported candidates")
    generates = False

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        return [ProviderError("imported candidates cannot be generated", permanent=True) for _r in requests]
