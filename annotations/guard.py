"""Lets an annotator's page be seen by the annotator whose session it is, once they have agreed."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from annotations import access
from annotations.closed_page import closed_page
from annotations.consent import needs_consent
from annotations.models import Annotator

P = ParamSpec("P")
AnnotatorView = Callable[Concatenate[HttpRequest, Annotator, P], HttpResponse]


def for_annotators(view: AnnotatorView[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
    """Gives the view this session's annotator; sends anyone else to the page they have to pass first."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        annotator = access.get_annotator(request, slug)
        if annotator is None:
            access.get_campaign(slug)
            return redirect("annotations:consent", slug)
        if annotator.is_withdrawn:
            return closed_page(request, annotator.campaign, "withdrawn")
        if needs_consent(annotator):
            return redirect("annotations:consent", slug)
        return view(request, annotator, *args, **kwargs)

    return guarded
