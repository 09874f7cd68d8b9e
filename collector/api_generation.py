"""The API of generation runs: asking for candidates, how far they are, and pausing, resuming, cancelling."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from collector.api import CampaignPart
from collector.api_refusals import Conflict
from collector.generation import start_generation
from collector.lifecycle import WrongState
from collector.models import GenerationRun, GenerationRunQuerySet
from collector.planning import UnknownProvider
from collector.run_control import cancel_runs, pause_runs, resume_runs, retry_runs
from collector.run_progress import progress_by_run
from collector.serializers import GenerationRunSerializer


class RunPart(CampaignPart):
    """The campaign's runs, newest first, each with its progress."""

    queryset = GenerationRun.objects.all()
    serializer_class = GenerationRunSerializer

    def get_queryset(self) -> QuerySet[GenerationRun]:
        return GenerationRun.objects.filter(generator__campaign=self.campaign).select_related("generator")

    def managed_runs(self) -> GenerationRunQuerySet:
        return GenerationRun.objects.filter(generator__campaign=self.managed_campaign)

    def described(self, runs: list[GenerationRun]) -> list[dict[str, Any]]:
        progress = progress_by_run(runs, timezone.now())
        for run in runs:
            run.progress = progress[run.pk]  # type: ignore[attr-defined]
        return self.get_serializer(runs, many=True).data

    def answer(self, pks: list[int], *, code: int = status.HTTP_200_OK) -> Response:
        runs = GenerationRun.objects.filter(pk__in=pks).select_related("generator").order_by("pk")
        return Response(self.described(list(runs)), status=code)


class RunList(RunPart):
    """Requests to generators; POST asks for every candidate that is still missing.

    The answer names the runs that are not over: none where nothing is missing. Asking again joins them.
    """

    @extend_schema(responses=GenerationRunSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.described(list(page or [])))

    @extend_schema(request=None, responses={202: GenerationRunSerializer(many=True)})
    def post(self, request: Request, slug: str) -> Response:
        try:
            started = start_generation(self.managed_campaign, now=timezone.now())
        except WrongState as error:
            raise Conflict(str(error), code="wrong_state") from error
        except UnknownProvider as error:
            raise Conflict(str(error), code="unknown_provider") from error
        return self.answer([run.pk for run in started], code=status.HTTP_202_ACCEPTED)


class RunDetail(RunPart):
    """One request to a generator and how far it is."""

    @extend_schema(responses=GenerationRunSerializer)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        run = get_object_or_404(self.get_queryset(), pk=pk)
        return Response(self.described([run])[0])


class RunStep(RunPart):
    """Pauses, resumes or cancels a run, or tries again what failed in it; 409 where that does not fit.

    What a worker has in hand is finished and stored all the same. A retry is answered with the run that has
    the candidates now, which is a new one where this one is over.
    """

    step = ""  # set by the address

    @extend_schema(request=None, responses=GenerationRunSerializer)
    def post(self, request: Request, slug: str, pk: int) -> Response:
        run = self.managed_runs().filter(pk=pk)
        if not run.exists():
            raise Http404
        if not (moved := _take(self.step, run)):
            raise Conflict(_("The run is not in a state for this."), code="wrong_state")
        answer = self.answer(moved)
        answer.data = answer.data[0]
        return answer


class AllRunsStep(RunPart):
    """Pauses, resumes or cancels all of the campaign's runs, or tries again whatever failed.

    The answer names the runs that were moved: none where none was in a fitting state.
    """

    pagination_class = None
    step = ""  # set by the address

    @property
    def operation_id(self) -> str:
        return f"campaigns_generation_runs_{self.step}_all"

    @extend_schema(request=None, responses=GenerationRunSerializer(many=True))
    def post(self, request: Request, slug: str) -> Response:
        return self.answer(_take(self.step, self.managed_runs()))


def _take(step: str, runs: GenerationRunQuerySet) -> list[int]:
    """The ids of the runs that were moved."""
    try:
        return STEPS[step](runs)
    except WrongState as error:
        raise Conflict(str(error), code="wrong_state") from error


def _moved(runs: GenerationRunQuerySet, move: Callable[[GenerationRunQuerySet], int]) -> list[int]:
    pks = list(runs.values_list("pk", flat=True))
    move(GenerationRun.objects.filter(pk__in=pks))
    return pks


STEPS: dict[str, Callable[[GenerationRunQuerySet], list[int]]] = {
    "pause": lambda runs: _moved(runs.active(), pause_runs),
    "resume": lambda runs: _moved(
        runs.filter(state=GenerationRun.State.PAUSED), lambda paused: resume_runs(paused, now=timezone.now())
    ),
    "cancel": lambda runs: _moved(runs.open(), lambda still: cancel_runs(still, now=timezone.now())),
    "retry": lambda runs: [run.pk for run in retry_runs(runs, now=timezone.now())],
}
