"""The page that says in a friendly way why there is nothing to do here."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from collector.models import Campaign


def closed_page(
    request: HttpRequest, campaign: Campaign, reason: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """`reason` picks the words in `annotations/closed.html`."""
    shared = {"campaign": campaign, "reason": reason}
    return render(request, "annotations/closed.html", shared | context, status=status)
