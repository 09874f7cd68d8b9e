"""The shapes the API speaks: the same names and columns as the interchange folder."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from collector.intake import LANGUAGE
from collector.marking import remark
from collector.models import SLUG_LENGTH, Campaign, Candidate, Criterion, GenerationRun, Generator, Prompt
from collector.outbound import MAX_URL, Refused, parse_url
from collector.providers import PROVIDERS
from collector.rendering import MAX_TEXT
from collector.steering_spec import (
    MAX_LABEL,
    MAX_NAME,
    SteeringFault,
    SteeringRefused,
    read_steerings,
    unknown_criteria,
    write_steerings,
)

SMALL = 32767
MAX_SEED = 2**31 - 1
HIGHEST_PRICE = 1_000_000
MOST_STEPS = 11


class StrictSerializer(serializers.Serializer):
    """Refuses what it does not know by name, instead of dropping it without a word."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            fields = self.fields
            unknown = {key: [_("There is no such field.")] for key in data if key not in fields}
            fixed = {
                key: [_("This cannot be set.")] for key in data if key in fields and fields[key].read_only
            }
            if problems := unknown | fixed:
                raise serializers.ValidationError({str(key): problems[key] for key in problems})
        return super().to_internal_value(data)


class FiniteField(serializers.FloatField):
    """A number; JSON's 1e999 is none."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if isinstance(data, bool) or not math.isfinite(value):
            self.fail("invalid")
        return value


class StratumAttributeSerializer(StrictSerializer):
    """One attribute that strata are made from, with the levels that get seats of their own."""

    attribute = serializers.SlugField(max_length=SLUG_LENGTH)
    levels = serializers.ListField(child=serializers.CharField(max_length=100), min_length=1, max_length=100)

    cuts = serializers.ListField(
        child=FiniteField(),
        required=False,
        max_length=99,
        help_text=gettext_lazy("For a score of the value profile: the numbers between the levels, rising."),
    )

    def validate_levels(self, levels: list[str]) -> list[str]:
        return _refuse_doubles(levels)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        cuts = attrs.get("cuts")
        if cuts is not None and (len(cuts) != len(attrs["levels"]) - 1 or sorted(set(cuts)) != cuts):
            raise serializers.ValidationError(
                {"cuts": _("Give rising numbers, one fewer than there are levels.")}
            )
        return attrs


class PrivacySerializer(StrictSerializer):
    """What a release of the campaign may carry, and who may have it."""

    attributes = serializers.ListField(child=serializers.SlugField(max_length=SLUG_LENGTH), required=False)
    tier = serializers.ChoiceField(choices=["open", "restricted", "internal"], required=False)
    free_text = serializers.BooleanField(
        required=False, help_text=gettext_lazy("Whether it may carry what annotators wrote, once read.")
    )


class OwnGeneratorField(serializers.SlugRelatedField):
    """A generator of the campaign at hand, by its name; a new campaign has none yet."""

    queryset = Generator.objects.all()

    def get_queryset(self) -> QuerySet[Generator]:
        campaign = self.root.instance
        if not isinstance(campaign, Campaign):
            return Generator.objects.none()
        return Generator.objects.filter(campaign=campaign)


class CampaignSerializer(StrictSerializer, serializers.ModelSerializer):
    role = serializers.ChoiceField(
        choices=["manager", "researcher"],
        read_only=True,
        help_text=gettext_lazy("Your part in this campaign."),
    )
    languages = serializers.ListField(
        child=serializers.RegexField(rf"\A{LANGUAGE.pattern}\Z", max_length=16),
        min_length=1,
        max_length=100,
        help_text=gettext_lazy('Language codes, such as ["en", "ar"].'),
    )
    strata = StratumAttributeSerializer(many=True, required=False)
    soft_targets = StratumAttributeSerializer(many=True, required=False)
    stratum_seats = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=1000), required=False
    )
    privacy = PrivacySerializer(required=False)
    instruments = serializers.ListField(
        child=serializers.SlugField(max_length=SLUG_LENGTH),
        max_length=20,
        required=False,
        help_text=gettext_lazy("The questionnaires each annotator is asked, in this order."),
    )
    summariser = OwnGeneratorField(
        slug_field="name",
        required=False,
        allow_null=True,
        help_text=gettext_lazy(
            "The generator that sums up what annotators write, for them to accept or not."
        ),
    )

    class Meta:
        model = Campaign
        fields = [
            "slug",
            "title",
            "description",
            "licence",
            "languages",
            "state",
            "role",
            "strata",
            "seats_per_stratum",
            "stratum_seats",
            "wildcard_seats",
            "soft_targets",
            "lease_minutes",
            "max_seats_per_annotator",
            "repeat_percent",
            "repeat_distance",
            "minutes_per_prompt",
            "dropout_percent",
            "instruments",
            "summariser",
            "duplicate_threshold",
            "leaves_out_self_identifying",
            "leaves_out_refusals",
            "privacy",
            "is_demo",
            "is_imported",
            "created_at",
            "opened_at",
            "closed_at",
        ]
        read_only_fields = ["state", "is_demo", "is_imported", "created_at", "opened_at", "closed_at"]
        extra_kwargs = {
            "description": {"max_length": MAX_TEXT},
            "seats_per_stratum": {"min_value": 1, "max_value": 1000},
            "wildcard_seats": {"min_value": 0, "max_value": 1000},
            "lease_minutes": {"min_value": 1, "max_value": 10080},
            "max_seats_per_annotator": {"min_value": 1, "max_value": MAX_SEED},
            "repeat_percent": {"min_value": 0, "max_value": 100},
            "repeat_distance": {"min_value": 0, "max_value": 1000},
            "minutes_per_prompt": {"min_value": 0.05, "max_value": 600},
            "dropout_percent": {"min_value": 0, "max_value": 99},
            "duplicate_threshold": {"min_value": 0.01, "max_value": 1},
        }

    def validate_slug(self, slug: str) -> str:
        if self.instance is not None and slug != self.instance.slug:
            raise serializers.ValidationError(_("The slug is in every address and cannot be changed."))
        return slug

    def validate_languages(self, languages: list[str]) -> list[str]:
        return _refuse_doubles(languages)

    def validate_instruments(self, instruments: list[str]) -> list[str]:
        known = import_string(settings.INSTRUMENT_CATALOGUE)()
        for name in instruments:
            if name not in known:
                raise serializers.ValidationError(_("There is no questionnaire %(name)s.") % {"name": name})
        return _refuse_doubles(instruments)

    def validate_strata(self, strata: list[dict[str, Any]]) -> list[dict[str, Any]]:
        _refuse_doubles([part["attribute"] for part in strata])
        return strata

    def create(self, validated_data: dict[str, Any]) -> Campaign:
        return Campaign.objects.create(**validated_data)

    def update(self, instance: Campaign, validated_data: dict[str, Any]) -> Campaign:
        for field, value in validated_data.items():
            setattr(instance, field, value)
        instance.save(update_fields=list(validated_data))
        remark(instance, validated_data)
        return instance


class MessageSerializer(StrictSerializer):
    """One turn of a conversation."""

    role = serializers.ChoiceField(choices=["system", "user", "assistant"])
    content = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)


class PromptSerializer(StrictSerializer, serializers.ModelSerializer):
    prompt_id = serializers.CharField(source="external_id", max_length=200)
    text = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False)
    messages = MessageSerializer(many=True, required=False, allow_null=True)

    class Meta:
        model = Prompt
        fields = ["prompt_id", "text", "messages", "language", "topic", "source", "licence", "position"]
        read_only_fields = ["position"]
        extra_kwargs = {
            "language": {"help_text": gettext_lazy("By default the first of the campaign's languages.")}
        }

    def validate_language(self, language: str) -> str:
        known = self.context["view"].campaign.languages
        if not LANGUAGE.fullmatch(language) or (known and language not in known):
            raise serializers.ValidationError(_("This is none of the campaign's languages."))
        return language

    def validate_messages(self, messages: list[dict[str, str]] | None) -> list[dict[str, str]] | None:
        if messages and messages[-1]["role"] != "user":
            raise serializers.ValidationError(_("The last message must be the user's."))
        return messages

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        has_text, has_messages = bool(attrs.get("text", "").strip()), bool(attrs.get("messages"))
        if has_text == has_messages:
            raise serializers.ValidationError({"text": _("A prompt has either a text or messages.")})
        default = next(iter(self.context["view"].campaign.languages), "en")
        return {"language": default} | attrs | ({} if has_messages else {"messages": None})


class WordingSerializer(StrictSerializer):
    """A criterion in another language."""

    question = serializers.CharField(max_length=500, required=False)
    label_min = serializers.CharField(max_length=100, required=False, allow_blank=True)
    label_max = serializers.CharField(max_length=100, required=False, allow_blank=True)
    categories = serializers.ListField(child=serializers.CharField(max_length=200), required=False)


class CriterionSerializer(StrictSerializer, serializers.ModelSerializer):
    criterion = serializers.SlugField(source="name", max_length=SLUG_LENGTH)
    scale_min = FiniteField(required=False, allow_null=True)
    scale_max = FiniteField(required=False, allow_null=True)
    categories = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=100
    )
    translations = serializers.DictField(child=WordingSerializer(), required=False)

    class Meta:
        model = Criterion
        fields = [
            "criterion",
            "question",
            "kind",
            "scale_min",
            "scale_max",
            "label_min",
            "label_max",
            "categories",
            "ordered",
            "higher_is_better",
            "required",
            "position",
            "translations",
        ]
        extra_kwargs = {"position": {"min_value": 0, "max_value": SMALL}}

    def validate_categories(self, categories: list[str]) -> list[str]:
        return _refuse_doubles(categories)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs["kind"]
        if kind not in Criterion.RATED:
            raise serializers.ValidationError({"kind": _("Annotators cannot be asked this kind here.")})
        if kind in (Criterion.Kind.LIKERT, Criterion.Kind.SLIDER):
            _check_scale(kind, attrs.get("scale_min"), attrs.get("scale_max"))
        if kind == Criterion.Kind.CATEGORICAL and len(attrs.get("categories", [])) < 2:
            raise serializers.ValidationError({"categories": _("This kind needs at least two categories.")})
        return attrs


class ProfileSerializer(StrictSerializer):
    """What a person holds: in words, as scores, or both."""

    text = serializers.CharField(max_length=MAX_TEXT, required=False)
    scores = serializers.DictField(child=FiniteField(), required=False)


class SteeringSerializer(StrictSerializer):
    """One way of telling the model how to speak: a label, and the fields of one kind."""

    label = serializers.CharField(  # type: ignore[assignment]
        max_length=MAX_LABEL,
        required=False,
        allow_blank=True,
        help_text=gettext_lazy("Its name, which its candidates carry; no two are alike."),
    )
    system = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True)
    persona = serializers.CharField(
        max_length=MAX_TEXT, required=False, help_text=gettext_lazy("Whom to answer as.")
    )
    profile = ProfileSerializer(required=False)
    attribute = serializers.CharField(max_length=MAX_NAME, required=False)
    level = serializers.CharField(max_length=MAX_NAME, required=False)
    weights = serializers.DictField(
        child=FiniteField(min_value=0, max_value=1),
        required=False,
        help_text=gettext_lazy("How much each criterion counts; they add up to 1."),
    )
    language = serializers.CharField(
        max_length=16, required=False, help_text=gettext_lazy("The code of the language to answer in.")
    )
    unlike = serializers.BooleanField(
        required=False, help_text=gettext_lazy("True: each sample is to be unlike the ones before it.")
    )


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="Steerings",
        serializers=[SteeringSerializer(), SteeringSerializer(many=True)],
        resource_type_field_name=None,
        many=False,
    )
)
class SteeringsField(serializers.Field):
    """One steering as an object, several as a list of objects; faults name the entry and its field."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        if isinstance(data, str):
            raise serializers.ValidationError(_("This is neither an object nor a list of objects."))
        try:
            entries = read_steerings(data)
        except SteeringRefused as error:
            raise serializers.ValidationError(_by_place(error.faults)) from error
        campaign = self.context["view"].campaign
        known = {name for entry in entries for name in entry.get("weights", {})}
        if known:
            known = set(campaign.criteria.filter(name__in=known).values_list("name", flat=True))
        if faults := unknown_criteria(entries, known):
            only = faults if isinstance(data, list) else [fault._replace(number=None) for fault in faults]
            raise serializers.ValidationError(_by_place(only))
        return entries

    def to_representation(self, value: list[dict[str, Any]]) -> Any:
        return write_steerings(value)


class GeneratorSerializer(StrictSerializer, serializers.ModelSerializer):
    provider = serializers.ChoiceField(choices=sorted(PROVIDERS))
    temperature = FiniteField(min_value=0, max_value=10, required=False)
    distinct_samples = serializers.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        allow_null=True,
        help_text=gettext_lazy("Samples are added until so many of a prompt and steering are distinct."),
    )
    max_samples = serializers.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        allow_null=True,
        help_text=gettext_lazy("The most samples for that; null: four times as many as are to be distinct."),
    )
    top_p = FiniteField(min_value=0.001, max_value=1, required=False)
    steering = SteeringsField(
        source="steerings",
        required=False,
        help_text=gettext_lazy("Each prompt is answered once under each, as often as there are samples."),
    )
    endpoint = serializers.CharField(source="extra.endpoint", max_length=MAX_URL, required=False)
    n = serializers.BooleanField(
        source="extra.n",
        required=False,
        help_text=gettext_lazy("Whether the server is asked for several samples of a prompt in one call."),
    )
    prompt_token_price = FiniteField(
        min_value=0,
        max_value=HIGHEST_PRICE,
        required=False,
        allow_null=True,
        help_text=gettext_lazy("US dollars for a million prompt tokens."),
    )
    new_token_price = FiniteField(
        min_value=0,
        max_value=HIGHEST_PRICE,
        required=False,
        allow_null=True,
        help_text=gettext_lazy("US dollars for a million generated tokens."),
    )

    class Meta:
        model = Generator
        fields = [
            "name",
            "provider",
            "model",
            "samples",
            "distinct_samples",
            "max_samples",
            "written_by_people",
            "temperature",
            "top_p",
            "max_new_tokens",
            "steering",
            "seed",
            "queue",
            "endpoint",
            "n",
            "prompt_token_price",
            "new_token_price",
        ]
        extra_kwargs = {
            "samples": {"min_value": 1, "max_value": 1000},
            "max_new_tokens": {"min_value": 1, "max_value": 32768},
            "seed": {"min_value": 0, "max_value": MAX_SEED},
        }

    def validate_endpoint(self, endpoint: str) -> str:
        try:
            parse_url(endpoint)
        except Refused as error:
            raise serializers.ValidationError(str(error)) from error
        return endpoint

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if PROVIDERS[attrs["provider"]].has_endpoint and "endpoint" not in attrs.get("extra", {}):
            raise serializers.ValidationError(
                {"endpoint": self.fields["endpoint"].error_messages["required"]}
            )
        return attrs


class CandidateSerializer(serializers.ModelSerializer):
    candidate_id = serializers.CharField(source="external_id", read_only=True)
    prompt_id = serializers.CharField(source="prompt.external_id", read_only=True)
    generator = serializers.CharField(source="generator.name", read_only=True)
    provenance = serializers.DictField(read_only=True)
    flags = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="self_identifying, refusal, cut_off, length_outlier",
    )
    duplicate_of = serializers.CharField(
        source="duplicate_of.external_id",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=gettext_lazy("The earlier candidate of the same prompt that it repeats."),
    )
    left_out = serializers.CharField(
        read_only=True, help_text=gettext_lazy("Why juries do not see it; empty where they do.")
    )

    class Meta:
        model = Candidate
        fields = [
            "candidate_id",
            "prompt_id",
            "generator",
            "sample_index",
            "state",
            "text",
            "steering",
            "temperature",
            "seed",
            "provenance",
            "prompt_tokens",
            "new_tokens",
            "cost",
            "flags",
            "duplicate_of",
            "left_out",
            "marked_at",
            "error",
            "generated_at",
        ]
        read_only_fields = fields


class GenerationRunSerializer(serializers.ModelSerializer):
    """A run with its `progress` set, a `collector.run_progress.Progress`."""

    generator = serializers.CharField(source="generator.name", read_only=True)
    queue = serializers.CharField(source="generator.queue", read_only=True)
    planned = serializers.IntegerField(source="progress.planned", read_only=True)
    done = serializers.IntegerField(source="progress.done", read_only=True)
    failed = serializers.IntegerField(source="progress.failed", read_only=True)
    new_tokens = serializers.IntegerField(source="progress.new_tokens", read_only=True)
    cost = serializers.FloatField(
        source="progress.cost",
        read_only=True,
        allow_null=True,
        help_text=gettext_lazy("US dollars; null where the generator has no price."),
    )
    tokens_per_second = serializers.FloatField(
        source="progress.tokens_per_second",
        read_only=True,
        allow_null=True,
        help_text=gettext_lazy("Over the last minute; null where nothing came in it."),
    )
    seconds_left = serializers.FloatField(
        source="progress.seconds_left",
        read_only=True,
        allow_null=True,
        help_text=gettext_lazy("At the speed of the last minute."),
    )

    class Meta:
        model = GenerationRun
        fields = [
            "id",
            "generator",
            "queue",
            "state",
            "priority",
            "planned",
            "done",
            "failed",
            "new_tokens",
            "cost",
            "tokens_per_second",
            "seconds_left",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


def _check_scale(kind: str, low: float | None, high: float | None) -> None:
    if low is None or high is None or low >= high:
        raise serializers.ValidationError(
            {"scale_min": _("This kind needs scale_min and scale_max, the first below the second.")}
        )
    is_whole = low.is_integer() and high.is_integer()
    if kind == Criterion.Kind.LIKERT and not (is_whole and high - low < MOST_STEPS):
        raise serializers.ValidationError(
            {"scale_max": _("A Likert scale has at most %d whole steps.") % MOST_STEPS}
        )


def _refuse_doubles(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise serializers.ValidationError(_("Each may be named only once."))
    return values


def _by_place(faults: list[SteeringFault]) -> Any:
    """The messages under their entry and field, as nested lists of errors are."""
    if any(fault.number is None and fault.key is None for fault in faults):
        return [fault.message for fault in faults]
    errors: dict[str, list[str]] = {}
    for fault in faults:
        errors.setdefault(fault.path().lstrip("."), []).append(fault.message)
    return errors
