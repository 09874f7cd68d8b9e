"""The API for running a campaign: its settings, what is asked, who generates, and its state."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from collector.api_access import (
    get_managed_campaign,
    get_readable_campaign,
    readable_campaigns,
    signed_in_user,
)
from collector.api_refusals import Conflict
from collector.intake import refuse_state
from collector.lifecycle import NotReady, WrongState, close_campaign, open_campaign, pause_campaign
from collector.models import Campaign, Candidate, Criterion, Generator, Membership, Prompt
from collector.serializers import (
    CampaignSerializer,
    CandidateSerializer,
    CriterionSerializer,
    GeneratorSerializer,
    PromptSerializer,
)

MAX_PROMPTS = 1000


class CampaignList(generics.ListCreateAPIView):
    """Campaigns you have a part in; POST makes a new draft, which you then manage."""

    queryset = Campaign.objects.all()
    serializer_class = CampaignSerializer

    def get_queryset(self) -> QuerySet[Campaign]:
        return readable_campaigns(self.request).select_related("summariser")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if not request.user.has_perm("collector.add_campaign"):
            raise PermissionDenied(_("You may not create campaigns."))
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        with transaction.atomic():
            campaign = serializer.save()
            Membership.objects.create(
                campaign=campaign, user=signed_in_user(self.request), role=Membership.Role.MANAGER
            )
        campaign.role = Membership.Role.MANAGER


class CampaignDetail(generics.RetrieveUpdateAPIView):
    """One campaign; its managers may change it while it is a draft."""

    http_method_names = ["get", "head", "options", "patch"]
    queryset = Campaign.objects.all()
    serializer_class = CampaignSerializer
    lookup_field = "slug"

    def get_object(self) -> Campaign:
        return get_readable_campaign(self.request, self.kwargs["slug"])

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        campaign = get_managed_campaign(request, self.kwargs["slug"])
        serializer = self.get_serializer(campaign, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            _require_draft(campaign)
            serializer.save()
        return Response(serializer.data)


class CampaignStep(APIView):
    """Opens, pauses or closes a campaign; 409 names under `missing` what must be there first."""

    step = ""  # set by the address

    @extend_schema(request=None, responses=CampaignSerializer)
    def post(self, request: Request, slug: str) -> Response:
        campaign = get_managed_campaign(request, slug)
        try:
            STEPS[self.step](campaign)
        except NotReady as error:
            message = _("The campaign is not ready to open.")
            raise Conflict(message, code="not_ready", fields={"missing": error.missing}) from error
        except WrongState as error:
            raise Conflict(str(error), code="wrong_state") from error
        return Response(CampaignSerializer(campaign).data)


class CampaignPart(generics.GenericAPIView):
    """What one campaign consists of, readable by everybody who has a part in it."""

    @cached_property
    def campaign(self) -> Campaign:
        return get_readable_campaign(self.request, self.kwargs["slug"])

    @cached_property
    def managed_campaign(self) -> Campaign:
        return get_managed_campaign(self.request, self.kwargs["slug"])

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(campaign=self.campaign)

    def save_new(self, serializer: serializers.BaseSerializer, **values: Any) -> None:
        """Stores one row; 409 where another request took its name a moment ago."""
        try:
            with transaction.atomic():
                serializer.save(campaign=self.managed_campaign, **values)
        except IntegrityError as error:
            raise Conflict(_("There is one of this name already."), code="exists") from error


class PromptFilter(filters.FilterSet):
    class Meta:
        model = Prompt
        fields = ["language", "topic"]


class PromptList(CampaignPart, generics.ListAPIView):
    """The prompts; POST adds one, or a list of up to 1000, all or nothing."""

    queryset = Prompt.objects.all()
    serializer_class = PromptSerializer
    filterset_class = PromptFilter

    @extend_schema(
        request=PolymorphicProxySerializer(
            "PromptOrPrompts",
            [PromptSerializer, PromptSerializer(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={201: PromptSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        campaign = self.managed_campaign
        _require_open_to_rows(campaign)
        many = isinstance(request.data, list)
        bounds = {"allow_empty": False, "max_length": MAX_PROMPTS} if many else {}
        serializer = self.get_serializer(data=request.data, many=many, **bounds)
        serializer.is_valid(raise_exception=True)
        rows = serializer.validated_data if many else [serializer.validated_data]
        _refuse_known_prompts(campaign, [row["external_id"] for row in rows], many=many)
        made = _add_prompts(campaign, rows)
        return Response(
            PromptSerializer(made if many else made[0], many=many).data, status=status.HTTP_201_CREATED
        )


class CandidateFilter(filters.FilterSet):
    prompt_id = filters.CharFilter(field_name="prompt__external_id")
    generator = filters.CharFilter(field_name="generator__name")

    class Meta:
        model = Candidate
        fields = ["state", "left_out"]


class CandidateList(CampaignPart, generics.ListAPIView):
    """The candidates: planned, done and failed, with what they were generated by."""

    queryset = Candidate.objects.select_related("prompt", "generator", "duplicate_of").defer(
        *("html", "extra", "prompt__text", "prompt__messages"),
        *(f"duplicate_of__{field}" for field in ("text", "html", "extra", "provenance")),
    )
    serializer_class = CandidateSerializer
    filterset_class = CandidateFilter


class CriterionList(CampaignPart, generics.ListCreateAPIView):
    """The questions asked about each candidate; POST adds one while the campaign is a draft."""

    queryset = Criterion.objects.all()
    serializer_class = CriterionSerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if not self.managed_campaign.is_draft:
            raise Conflict(_("Criteria can be added only while the campaign is a draft."), code="wrong_state")
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        last = self.managed_campaign.criteria.aggregate(last=Max("position"))["last"]
        position = serializer.validated_data.get("position", 0 if last is None else last + 1)
        self.save_new(serializer, position=position)


class GeneratorList(CampaignPart, generics.ListCreateAPIView):
    """The models asked for candidates, with their settings; POST adds one."""

    queryset = Generator.objects.all()
    serializer_class = GeneratorSerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        _require_open_to_rows(self.managed_campaign)
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        self.save_new(serializer)


def _require_draft(campaign: Campaign) -> None:
    """Locks the campaign for the rest of the transaction, so that nobody opens it in between."""
    if not Campaign.objects.select_for_update().get(pk=campaign.pk).is_draft:
        raise Conflict(_("A campaign can be changed only while it is a draft."), code="wrong_state")


def _require_open_to_rows(campaign: Campaign) -> None:
    try:
        refuse_state(campaign)
    except WrongState as error:
        raise Conflict(str(error), code="wrong_state") from error


def _refuse_known_prompts(campaign: Campaign, ids: list[str], *, many: bool) -> None:
    """Names every prompt_id that is there already or comes twice."""
    seen = set(campaign.prompts.filter(external_id__in=ids).values_list("external_id", flat=True))
    problems: dict[str, Any] = {}
    for row, prompt_id in enumerate(ids):
        if prompt_id in seen:
            problems[str(row)] = {"prompt_id": [_("There is a prompt of this id already.")]}
        seen.add(prompt_id)
    if problems:
        raise serializers.ValidationError(problems if many else problems["0"])


def _add_prompts(campaign: Campaign, rows: list[dict[str, Any]]) -> list[Prompt]:
    try:
        with transaction.atomic():
            _require_open_to_rows(Campaign.objects.select_for_update().get(pk=campaign.pk))
            last = campaign.prompts.aggregate(last=Max("position"))["last"] or 0
            return Prompt.objects.bulk_create(
                Prompt(campaign=campaign, position=last + number, **row)
                for number, row in enumerate(rows, start=1)
            )
    except IntegrityError as error:
        raise Conflict(_("There is one of this name already."), code="exists") from error


STEPS: dict[str, Callable[[Campaign], None]] = {
    "open": lambda campaign: open_campaign(campaign, now=timezone.now()),
    "pause": pause_campaign,
    "close": lambda campaign: close_campaign(campaign, now=timezone.now()),
}
