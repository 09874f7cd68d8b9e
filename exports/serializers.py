"""The shapes in which the API gives ratings and releases."""

from rest_framework import serializers
from rest_framework.reverse import reverse

from collector.serializers import StrictSerializer
from exports.models import Release, ReleaseFile

VERSION = r"\A[0-9A-Za-z](?:[0-9A-Za-z._-]{0,30}[0-9A-Za-z])?\Z"


class RatingSerializer(serializers.Serializer):
    """One row of `rating_stream.COLUMNS`, whose meanings `exports/columns.py` gives."""

    annotator_id = serializers.CharField()
    candidate_id = serializers.CharField()
    criterion = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    missing = serializers.CharField(allow_null=True)
    position = serializers.IntegerField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    repeat_index = serializers.IntegerField()
    submitted_on = serializers.DateField(allow_null=True)
    surplus = serializers.BooleanField()
    prompt_id = serializers.CharField()
    stratum = serializers.CharField(allow_null=True)
    simulated = serializers.BooleanField()


class ReleaseSerializer(serializers.ModelSerializer):
    campaign: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    url = serializers.HyperlinkedIdentityField(view_name="api:release")
    files = serializers.HyperlinkedIdentityField(view_name="api:release-files")

    class Meta:
        model = Release
        fields = [
            "id",
            "campaign",
            "version",
            "state",
            "tier",
            "has_simulated",
            "cutoff",
            "seed",
            "created_at",
            "published_at",
            "url",
            "files",
        ]
        read_only_fields = fields


class ReleaseFileSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField()

    class Meta:
        model = ReleaseFile
        fields = ["path", "sha256", "size", "rows", "url"]
        read_only_fields = fields

    def get_url(self, file: ReleaseFile) -> str:
        return reverse("api:release-file", [file.release_id, file.path], request=self.context["request"])


class CutSerializer(StrictSerializer):
    """What to cut: a version that the campaign does not have yet."""

    version = serializers.RegexField(VERSION, max_length=32)
    include_simulated = serializers.BooleanField(default=True)


class MetricSerializer(serializers.Serializer):
    """One record of metrics.json; undefined is null with a reason, never 0."""

    metric = serializers.CharField()
    criterion = serializers.CharField(allow_null=True)
    level = serializers.CharField(allow_null=True)
    group_by = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_null=True)
    other_group = serializers.CharField(allow_null=True)
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    ci_method = serializers.CharField(allow_null=True)
    n_items = serializers.IntegerField(allow_null=True)
    n_annotators = serializers.IntegerField(allow_null=True)
    n_ratings = serializers.IntegerField(allow_null=True)
    seed = serializers.IntegerField(allow_null=True)
    base = serializers.FloatField(allow_null=True)
    undefined_reason = serializers.CharField(allow_null=True)
