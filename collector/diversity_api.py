"""The API for how different a campaign's candidates are: a figure for each prompt and generator."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy
from django_filters import rest_framework as filters
from rest_framework import generics, serializers

from collector.api_access import get_readable_campaign
from collector.models import Dispersion


class DispersionSerializer(serializers.ModelSerializer):
    prompt_id = serializers.CharField(source="prompt.external_id", read_only=True)
    generator = serializers.CharField(source="generator.name", read_only=True)
    dispersion = serializers.FloatField(
        source="value",
        read_only=True,
        allow_null=True,
        help_text=gettext_lazy("Mean cosine distance over pairs of candidates; null below two."),
    )
    people_dispersion = serializers.FloatField(
        source="people_value",
        read_only=True,
        allow_null=True,
        help_text=gettext_lazy("The same of what people wrote for the prompt."),
    )
    coverage = serializers.FloatField(
        read_only=True,
        allow_null=True,
        help_text=gettext_lazy("The share of people's answers with a candidate in their neighbourhood."),
    )

    class Meta:
        model = Dispersion
        fields = [
            *("prompt_id", "generator", "measure", "candidates", "distinct", "dispersion"),
            *("people", "people_dispersion", "coverage", "computed_at"),
        ]
        read_only_fields = fields


class DiversityFilter(filters.FilterSet):
    prompt_id = filters.CharFilter(field_name="prompt__external_id")
    generator = filters.CharFilter(field_name="generator__name")

    class Meta:
        model = Dispersion
        fields: list[str] = []


class DiversityList(generics.ListAPIView):
    """How far apart the candidates of each prompt and generator are, beside what people wrote.

    A prompt's figures appear once its candidates are all there and compared.
    """

    queryset = Dispersion.objects.select_related("prompt", "generator").defer(
        "prompt__text", "prompt__messages"
    )
    serializer_class = DispersionSerializer
    filterset_class = DiversityFilter

    def get_queryset(self) -> QuerySet[Dispersion]:
        campaign = get_readable_campaign(self.request, self.kwargs["slug"])
        return super().get_queryset().filter(prompt__campaign=campaign)
