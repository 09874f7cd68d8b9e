"""The API for a campaign's questionnaires: what there is to choose from, and how reliable its scores are."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.instruments.instrument import Instrument
from annotations.instruments.loader import available_instruments, load_instrument
from annotations.instruments.structure import LEVELS
from annotations.questionnaires import text_languages
from annotations.reliability import Reliability, score_reliability
from collector.api_access import get_managed_campaign
from collector.models import Campaign


class LicenceSerializer(serializers.Serializer):
    spdx = serializers.CharField()
    attribution = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    doi = serializers.CharField(allow_blank=True)


class ScoreSerializer(serializers.Serializer):
    score = serializers.CharField(help_text="Its key in a profile; a release's column is score_ and this.")
    title = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)


class InstrumentSerializer(serializers.Serializer):
    instrument = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    sha256 = serializers.CharField()
    items = serializers.IntegerField()
    minutes = serializers.IntegerField()
    licence = LicenceSerializer()
    text_bundled = serializers.BooleanField(help_text="False: the campaign's owner supplies the words.")
    languages = serializers.ListField(child=serializers.CharField())
    is_chosen = serializers.BooleanField()
    attributes = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    scores = ScoreSerializer(many=True)


class ReliabilitySerializer(serializers.Serializer):
    instrument = serializers.CharField()
    score = serializers.CharField()
    title = serializers.CharField()
    value = serializers.FloatField(allow_null=True, help_text="Cronbach's alpha.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    ci_method = serializers.CharField(allow_null=True)
    n_items = serializers.IntegerField()
    n_annotators = serializers.IntegerField()
    undefined_reason = serializers.CharField(allow_null=True)


class InstrumentsView(APIView):
    """Every questionnaire there is, with its terms, and whether the campaign asks it; for managers.

    Choose them by the campaign's own `instruments`.
    """

    @extend_schema(responses=InstrumentSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        campaign = get_managed_campaign(request, slug)
        languages = text_languages(campaign)
        rows = [
            _describe(load_instrument(name), campaign, languages[name]) for name in available_instruments()
        ]
        return Response(InstrumentSerializer(rows, many=True).data)


class ReliabilityView(APIView):
    """Cronbach's alpha of every score made of several items, with its 95% interval; for managers."""

    @extend_schema(responses=ReliabilitySerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        campaign = get_managed_campaign(request, slug)
        rows = [_as_row(one) for one in score_reliability(campaign)]
        return Response(ReliabilitySerializer(rows, many=True).data)


def _describe(instrument: Instrument, campaign: Campaign, languages: tuple[str, ...]) -> dict[str, Any]:
    return {
        "instrument": instrument.id,
        "version": instrument.version,
        "title": instrument.title,
        "sha256": instrument.sha256,
        "items": len(instrument.items),
        "minutes": instrument.minutes,
        "licence": instrument.licence,
        "text_bundled": instrument.licence.text_bundled,
        "languages": languages,
        "is_chosen": instrument.id in campaign.instruments,
        "attributes": instrument.attributes,
        "scores": [
            {"score": score.id, "title": score.title, "level": score.level} for score in instrument.scores
        ],
    }


def _as_row(one: Reliability) -> dict[str, Any]:
    return {
        "instrument": one.instrument.id,
        "score": one.score.id,
        "title": one.score.title,
        "value": one.alpha.value,
        "low": one.alpha.low,
        "high": one.alpha.high,
        "ci_method": one.alpha.ci_method,
        "n_items": one.alpha.n_items,
        "n_annotators": one.alpha.n_annotators,
        "undefined_reason": one.alpha.undefined_reason,
    }
