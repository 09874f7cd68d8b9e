"""The API for the jury of a campaign: its strata, and how far its seats are filled."""

from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.forecast import forecast_jury
from annotations.jury import make_strata, set_seats
from annotations.models import Annotator, Stratum
from annotations.progress import seat_totals, seats_by_stratum
from annotations.strata import MAX_SEATS
from collector.api_access import get_managed_campaign
from collector.models import Campaign, Candidate


class StratumSerializer(serializers.ModelSerializer):
    attributes = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Stratum
        fields = ["label", "attributes", "seats", "is_wildcard", "position"]
        read_only_fields = fields


class CandidateCountsSerializer(serializers.Serializer):
    planned = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()


class SeatCountsSerializer(serializers.Serializer):
    seats = serializers.IntegerField()
    held = serializers.IntegerField()
    filled = serializers.IntegerField()
    open = serializers.IntegerField()


class StratumCountsSerializer(SeatCountsSerializer):
    label = serializers.CharField()  # type: ignore[assignment]


class AnnotatorCountsSerializer(serializers.Serializer):
    people = serializers.IntegerField()
    simulated = serializers.IntegerField()
    withdrawn = serializers.IntegerField()


class ProgressSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=Campaign.State.choices)
    prompts = serializers.IntegerField()
    candidates = CandidateCountsSerializer()
    annotators = AnnotatorCountsSerializer()
    seats = SeatCountsSerializer()
    strata = StratumCountsSerializer(many=True)


class SeatsSerializer(serializers.Serializer):
    seats = serializers.IntegerField(min_value=0, max_value=MAX_SEATS)


class IntervalField(serializers.ListField):
    """The two ends of a 95% interval, or null where nobody would be asked."""

    child = serializers.FloatField()


class StratumForecastSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    seats = serializers.IntegerField()
    open = serializers.IntegerField()
    people = serializers.IntegerField()
    arrivals = serializers.IntegerField()
    hours = serializers.FloatField()
    cost = serializers.FloatField()
    on_a_jury = IntervalField(allow_null=True)
    overall = IntervalField(allow_null=True)
    is_thin = serializers.BooleanField()


class AssumptionsSerializer(serializers.Serializer):
    seats_per_person = serializers.FloatField()
    minutes_per_seat = serializers.FloatField()
    dropout = serializers.FloatField()
    hourly_pay = serializers.FloatField()
    is_observed = serializers.BooleanField()


class ForecastSerializer(serializers.Serializer):
    prompts = serializers.IntegerField()
    seats = serializers.IntegerField()
    open = serializers.IntegerField()
    people = serializers.IntegerField()
    arrivals = serializers.IntegerField()
    hours = serializers.FloatField()
    cost = serializers.FloatField()
    on_a_jury = IntervalField(allow_null=True)
    thin = serializers.ListField(child=serializers.CharField())
    assumed = AssumptionsSerializer()
    strata = StratumForecastSerializer(many=True)


class StratumList(generics.ListAPIView):
    """The strata of the jury with their seats per prompt; for managers."""

    queryset = Stratum.objects.all()
    serializer_class = StratumSerializer

    def get_queryset(self) -> QuerySet[Stratum]:
        campaign = get_managed_campaign(self.request, self.kwargs["slug"])
        return Stratum.objects.filter(campaign=campaign)


class StratumView(APIView):
    """The seats of one stratum on every prompt's jury, which can be raised and lowered while people rate."""

    @extend_schema(request=SeatsSerializer, responses=StratumSerializer)
    def patch(self, request: Request, slug: str, position: int) -> Response:
        campaign = get_managed_campaign(request, slug)
        stratum = next((row for row in make_strata(campaign) if row.position == position), None)
        if stratum is None:
            raise Http404
        sent = SeatsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        set_seats(campaign, {stratum.label: sent.validated_data["seats"]})
        return Response(StratumSerializer(campaign.strata_cells.get(label=stratum.label)).data)


class ForecastView(APIView):
    """People, hours, cost and interval widths for what is open: as planned, then as it goes; for managers."""

    @extend_schema(responses=ForecastSerializer)
    def get(self, request: Request, slug: str) -> Response:
        return Response(ForecastSerializer(forecast_jury(get_managed_campaign(request, slug))).data)


class ProgressView(APIView):
    """Candidates done and seats filled by stratum, as they are now; for managers."""

    @extend_schema(responses=ProgressSerializer)
    def get(self, request: Request, slug: str) -> Response:
        campaign = get_managed_campaign(request, slug)
        return Response(ProgressSerializer(_count(campaign)).data)


def _count(campaign: Campaign) -> dict[str, Any]:
    strata = seats_by_stratum(campaign)
    made = dict(campaign.candidates.order_by().values_list("state").annotate(Count("pk")))
    return {
        "state": campaign.state,
        "prompts": campaign.prompts.count(),
        "candidates": {state.value: made.get(state.value, 0) for state in Candidate.State},
        "annotators": _count_annotators(campaign),
        "seats": seat_totals(strata),
        "strata": strata,
    }


def _count_annotators(campaign: Campaign) -> dict[str, int]:
    annotators = Annotator.objects.filter(campaign=campaign)
    present = annotators.present()
    people = present.people().count()
    everybody = annotators.count()
    there = present.count()
    return {"people": people, "simulated": there - people, "withdrawn": everybody - there}
