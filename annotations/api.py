"""The API for the jury of a campaign: its strata, and how far its seats are filled."""

from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import Annotator, Stratum
from annotations.progress import seat_totals, seats_by_stratum
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


class StratumList(generics.ListAPIView):
    """The strata of the jury with their seats per prompt; for managers."""

    queryset = Stratum.objects.all()
    serializer_class = StratumSerializer

    def get_queryset(self) -> QuerySet[Stratum]:
        campaign = get_managed_campaign(self.request, self.kwargs["slug"])
        return Stratum.objects.filter(campaign=campaign)


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
