"""What is asked: campaigns, criteria, prompts, generators, and the candidates they produce."""

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

SLUG_LENGTH = 64
ID_LENGTH = 200


def make_seed() -> str:
    return secrets.token_hex(16)


def default_instruments() -> list[str]:
    return ["core-demographics", "ai-prefs-8", "free-text-values"]


class User(AbstractUser):
    """A manager, researcher or operator. Annotators are not users: see `annotations.Annotator`."""


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def managed_by(self, user: User | AnonymousUser) -> "CampaignQuerySet":
        return self._shared_with(user, [Membership.Role.MANAGER])

    def readable_by(self, user: User | AnonymousUser) -> "CampaignQuerySet":
        return self._shared_with(user, [Membership.Role.MANAGER, Membership.Role.RESEARCHER])

    def _shared_with(self, user: User | AnonymousUser, roles: list[str]) -> "CampaignQuerySet":
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(pk__in=Membership.objects.filter(user=user, role__in=roles).values("campaign"))


class Campaign(models.Model):
    """One study: its prompts, its rating form, and what its jury should look like."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    slug = models.SlugField(max_length=SLUG_LENGTH, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    licence = models.CharField(
        max_length=64, blank=True, help_text=_("An SPDX identifier, such as CC-BY-4.0.")
    )
    languages = models.JSONField(default=list, help_text=_('Language codes, such as ["en", "ar"].'))
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT, editable=False)
    # [{"attribute": "age_band", "levels": ["18-34", ...]}, ...]; read by annotations.strata. One that is
    # a score of the value profile has "cuts" as well: the numbers between one level and the next.
    strata = models.JSONField(default=list, blank=True)
    seats_per_stratum = models.PositiveSmallIntegerField(default=1)
    stratum_seats = models.JSONField(default=dict, blank=True)  # {label: seats}, where they differ
    # Empty: a share of the jury, see annotations.strata.
    wildcard_seats = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text=_("Seats per prompt that anyone may take, whatever they answered or left out."),
    )
    # [{"attribute": "education", "levels": [...]}, ...]: each jury is balanced by these as far as it can be.
    soft_targets = models.JSONField(default=list, blank=True)
    # Ids of the questionnaires every annotator is asked, in this order; annotations.instruments has them.
    instruments = models.JSONField(default=default_instruments, blank=True)
    # Puts what annotators wrote about their values into a few sentences, which they then accept or not.
    summariser = models.ForeignKey(
        "Generator",
        on_delete=models.SET_NULL,  # a campaign without it writes no more summaries
        null=True,
        blank=True,
        related_name="+",
    )
    lease_minutes = models.PositiveSmallIntegerField(default=30)
    max_seats_per_annotator = models.PositiveIntegerField(null=True, blank=True)
    max_seats_per_day = models.PositiveIntegerField(null=True, blank=True)
    max_minutes_per_day = models.PositiveIntegerField(null=True, blank=True)
    # Every so many seats one whose prompt is a plain instruction; 0 for none.
    attention_every = models.PositiveSmallIntegerField(default=0)
    # [{"question", "options": [...], "answer": index, "explanation"}, ...], asked before the first seat
    comprehension = models.JSONField(default=list, blank=True)
    repeat_percent = models.PositiveSmallIntegerField(
        default=0, help_text=_("So many of a hundred prompts are asked a second time.")
    )
    repeat_distance = models.PositiveSmallIntegerField(
        default=20, help_text=_("At least so many prompts lie between the two times.")
    )
    # What a forecast assumes until the campaign has seen for itself.
    minutes_per_prompt = models.FloatField(default=2.0)
    dropout_percent = models.PositiveSmallIntegerField(default=25)
    duplicate_threshold = models.FloatField(
        null=True,
        blank=True,
        help_text=_("From what similarity on, up to 1, candidates are near-duplicates. Empty: the default."),
    )
    leaves_out_self_identifying = models.BooleanField(
        default=False,
        help_text=_("Juries do not see candidates that say which model or maker they are from."),
    )
    leaves_out_refusals = models.BooleanField(
        default=False, help_text=_("Juries do not see candidates that refuse to answer.")
    )
    # {"attributes": [columns a release may carry], "tier": "open" | "restricted" | "internal"}
    privacy = models.JSONField(default=dict, blank=True)
    seed = models.CharField(max_length=32, default=make_seed, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)
    is_imported = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "paused", "closed"]), name="campaign_state_known"
            ),
            models.CheckConstraint(
                condition=Q(dropout_percent__lt=100, minutes_per_prompt__gt=0),
                name="campaign_forecast_possible",
            ),
            models.CheckConstraint(
                condition=Q(duplicate_threshold__isnull=True)
                | Q(duplicate_threshold__gt=0, duplicate_threshold__lte=1),
                name="campaign_duplicate_threshold_is_a_similarity",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class Membership(models.Model):
    """What one user may do in one campaign."""

    class Role(models.TextChoices):
        MANAGER = "manager", _("manager")
        RESEARCHER = "researcher", _("researcher")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE)  # a right to nothing means nothing
    user = models.ForeignKey(User, on_delete=models.CASCADE)  # likewise
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "user"], name="one_role_per_user_and_campaign")
        ]

    def __str__(self) -> str:
        return f"{self.user} / {self.campaign} / {self.role}"


class Criterion(models.Model):
    """One question asked of the rater about each candidate."""

    class Kind(models.TextChoices):
        LIKERT = "likert", _("Likert scale")
        SLIDER = "slider", _("slider")
        BINARY = "binary", _("yes or no")
        CATEGORICAL = "categorical", _("one of several categories")
        CHOICE = "choice", _("choice between candidates")
        RANKING = "ranking", _("ranking")
        TEXT = "text", _("free text")

    RATED = (Kind.LIKERT, Kind.SLIDER, Kind.BINARY, Kind.CATEGORICAL)

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="criteria")
    name = models.SlugField(max_length=SLUG_LENGTH)
    question = models.CharField(max_length=500)
    kind = models.CharField(max_length=16, choices=Kind)
    scale_min = models.FloatField(null=True, blank=True)
    scale_max = models.FloatField(null=True, blank=True)
    label_min = models.CharField(max_length=100, blank=True)
    label_max = models.CharField(max_length=100, blank=True)
    categories = models.JSONField(default=list, blank=True)
    ordered = models.BooleanField(default=False)
    higher_is_better = models.BooleanField(default=True)
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    # {"es": {"question": ..., "label_min": ..., "label_max": ..., "categories": [...]}, ...}
    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["campaign", "position", "pk"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="criterion_name_unique"),
            models.CheckConstraint(
                condition=~Q(kind__in=["likert", "slider"]) | Q(scale_min__lt=F("scale_max")),
                name="criterion_scale_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and highest value a rating can have, or None where values have no order."""
        match self.kind:
            case self.Kind.LIKERT | self.Kind.SLIDER:
                return self.scale_min or 0.0, self.scale_max or 0.0
            case self.Kind.BINARY:
                return 0.0, 1.0
            case self.Kind.CATEGORICAL if self.ordered and len(self.categories) > 1:
                return 0.0, len(self.categories) - 1.0
        return None

    def worded(self, language: str) -> dict[str, Any]:
        """Question, end labels and categories in `language`, falling back field by field."""
        own = {
            "question": self.question,
            "label_min": self.label_min,
            "label_max": self.label_max,
            "categories": self.categories,
        }
        return own | {key: value for key, value in self.translations.get(language, {}).items() if value}


class FormVersion(models.Model):
    """The rating form as it stood: written once; every ballot points at the version it answered."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="form_versions")
    number = models.PositiveIntegerField()
    criteria = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["campaign", "number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="form_version_number_unique"),
            models.UniqueConstraint(fields=["campaign", "sha256"], name="form_version_content_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} / form {self.number}"


class PromptQuerySet(models.QuerySet["Prompt"]):
    def judged(self) -> "PromptQuerySet":
        """Those a jury judges; the others train annotators or see whether they read."""
        return self.filter(purpose=Prompt.Purpose.JUDGED)

    def ready(self) -> "PromptQuerySet":
        """Those whose candidates are all there: a jury could see at least one, and none is still to come.

        What a cancelled run left is not to come: its prompts get their juries with what they have. Where
        candidates may be left out, those not yet marked could bring further samples, and are waited for.
        """
        candidates = Candidate.objects.filter(prompt=models.OuterRef("pk"))
        may_be_left_out = (
            Q(generator__distinct_samples__isnull=False)
            | Q(campaign__leaves_out_self_identifying=True)
            | Q(campaign__leaves_out_refusals=True)
        )
        return self.filter(
            models.Exists(candidates.for_juries()),
            ~models.Exists(
                candidates.filter(state=Candidate.State.PLANNED).exclude(
                    run__state=GenerationRun.State.CANCELLED
                )
            ),
            ~models.Exists(candidates.unmarked().filter(may_be_left_out)),
        )

    def unmarked(self) -> "PromptQuerySet":
        """Those with unmarked candidates that no active run will soon add others to."""
        candidates = Candidate.objects.filter(prompt=models.OuterRef("pk"))
        return self.filter(
            models.Exists(candidates.unmarked()),
            ~models.Exists(candidates.unfinished().filter(run__state__in=GenerationRun.ACTIVE)),
        )


class Prompt(models.Model):
    """One thing said to a model: a text, or a conversation that awaits its next answer."""

    class Purpose(models.TextChoices):
        JUDGED = "judged", _("judged by a jury")
        TRAINING = "training", _("practice, with an explanation afterwards")
        ATTENTION = "attention", _("a plain instruction to follow")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="prompts")
    external_id = models.CharField(max_length=ID_LENGTH)
    text = models.TextField(blank=True)
    messages = models.JSONField(null=True, blank=True)
    language = models.CharField(max_length=16, default="en")
    topic = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=64, blank=True)
    position = models.PositiveIntegerField(default=0)
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.JUDGED)
    # Where it is practice or an instruction: {"criterion": value or [lowest, highest]} and why.
    expected = models.JSONField(default=dict, blank=True)
    explanation = models.TextField(blank=True)
    extra = models.JSONField(default=dict, blank=True)  # the x_ columns it came with
    marking_until = models.DateTimeField(null=True, editable=False)  # a worker compares its candidates

    objects = PromptQuerySet.as_manager()

    class Meta:
        ordering = ["campaign", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "external_id"], name="prompt_id_unique"),
            models.CheckConstraint(
                condition=~Q(text="") | Q(messages__isnull=False), name="prompt_says_something"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "position"], name="prompt_order"),
            models.Index(
                fields=["campaign", "purpose"], condition=~Q(purpose="judged"), name="prompt_not_judged"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def conversation(self) -> list[dict[str, str]]:
        """The prompt as messages, whichever way it was given."""
        return self.messages or [{"role": "user", "content": self.text}]


def refuse_queue_of_short_tasks(name: str) -> None:
    """A batch of candidates may take minutes, for which seats and releases must not wait."""
    if name == settings.CELERY_TASK_DEFAULT_QUEUE:
        raise ValidationError(_("This queue is for short tasks; choose another name."))


class Generator(models.Model):
    """A model with its settings, asked for candidates."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="generators")
    name = models.SlugField(max_length=SLUG_LENGTH)
    provider = models.CharField(max_length=64)
    model = models.CharField(max_length=300, blank=True)
    samples = models.PositiveSmallIntegerField(default=1)
    temperature = models.FloatField(default=0.7)
    top_p = models.FloatField(default=0.95)
    max_new_tokens = models.PositiveIntegerField(default=128)
    # [{"label": ..., and the keys of one kind}, ...] (`collector.steering_spec`); empty: not steered.
    steerings = models.JSONField(default=list, blank=True)
    seed = models.PositiveIntegerField(default=0)
    queue = models.SlugField(
        max_length=64,
        default="generation",
        validators=[refuse_queue_of_short_tasks],
        help_text=_("The workers of this queue run the model."),
    )
    # More samples than `samples` are drawn, up to `max_samples` a prompt, until so many are distinct.
    distinct_samples = models.PositiveSmallIntegerField(null=True, blank=True)
    max_samples = models.PositiveSmallIntegerField(null=True, blank=True)
    written_by_people = models.BooleanField(
        default=False, help_text=_("Its candidates are people's own answers, which others are compared with.")
    )
    lengths_due = models.BooleanField(default=False, editable=False)  # flags of length await a recount
    prompt_token_price = models.FloatField(
        null=True, blank=True, help_text=_("US dollars for a million prompt tokens.")
    )
    new_token_price = models.FloatField(
        null=True, blank=True, help_text=_("US dollars for a million generated tokens.")
    )
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["campaign", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="generator_name_unique"),
            models.CheckConstraint(condition=Q(samples__gte=1), name="generator_samples_positive"),
            models.CheckConstraint(
                condition=Q(temperature__gte=0), name="generator_temperature_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def steering_plan(self) -> list[dict[str, Any]]:
        """The steerings each prompt is answered under: one that says nothing where there are none."""
        return self.steerings or [{}]


class GenerationRunQuerySet(models.QuerySet["GenerationRun"]):
    def active(self) -> "GenerationRunQuerySet":
        return self.filter(state__in=GenerationRun.ACTIVE)

    def open(self) -> "GenerationRunQuerySet":
        """Active or paused: not over yet."""
        return self.filter(state__in=GenerationRun.OPEN)

    def with_work(self, now: datetime) -> "GenerationRunQuerySet":
        """Active, with a candidate that a worker could claim now."""
        claimable = Candidate.objects.filter(run=models.OuterRef("pk")).claimable(now)
        # Not Exists, which PostgreSQL turns into a join that reads every planned candidate.
        first = models.Subquery(claimable.order_by("pk").values("pk")[:1])
        return self.active().alias(first_claimable=first).filter(first_claimable__isnull=False)

    def finished(self) -> "GenerationRunQuerySet":
        """Open, with no candidate that is still planned."""
        planned = Candidate.objects.unfinished().filter(run=models.OuterRef("pk"))
        first = models.Subquery(planned.order_by("pk").values("pk")[:1])
        return self.open().alias(first_planned=first).filter(first_planned__isnull=True)


class GenerationRun(models.Model):
    """One request to a generator for whatever candidates a campaign still lacks from it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    ACTIVE = (State.QUEUED, State.RUNNING)
    OPEN = (*ACTIVE, State.PAUSED)

    generator = models.ForeignKey(Generator, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    priority = models.SmallIntegerField(default=0)  # the highest first: someone waits for a live answer
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # When it last had a batch, and the tokens it has asked for in that share window: `collector.scheduling`.
    served_at = models.DateTimeField(null=True, editable=False)
    served_tokens = models.PositiveBigIntegerField(default=0, editable=False)

    objects = GenerationRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["generator"],
                condition=Q(state__in=["queued", "running", "paused"]),
                name="one_active_run_per_generator",
            )
        ]

    def __str__(self) -> str:
        return f"{self.generator} / run {self.pk}"


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def unfinished(self) -> "CandidateQuerySet":
        return self.filter(state=Candidate.State.PLANNED)

    def unclaimed(self, now: datetime) -> "CandidateQuerySet":
        """Planned and not in a worker's hands: never claimed, or the claim ran out."""
        return self.unfinished().filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))

    def claimable(self, now: datetime) -> "CandidateQuerySet":
        """Those unclaimed that wait for no earlier sample, which may have failed but is not still planned."""
        earlier = Candidate.objects.unfinished().filter(
            prompt=OuterRef("prompt"),
            generator=OuterRef("generator"),
            steering=OuterRef("steering"),
            sample_index__lt=OuterRef("sample_index"),
        )
        return self.unclaimed(now).filter(Q(follows_earlier=False) | ~Exists(earlier))

    def done(self) -> "CandidateQuerySet":
        return self.filter(state=Candidate.State.DONE)

    def unmarked(self) -> "CandidateQuerySet":
        """Done, and not yet compared and flagged by `collector.marking`."""
        return self.done().filter(marked_at__isnull=True)

    def for_juries(self) -> "CandidateQuerySet":
        return self.done().filter(left_out="")


class Candidate(models.Model):
    """One response to a prompt; planned first, so that the database knows what is still to be generated."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class LeftOut(models.TextChoices):
        DUPLICATE = "duplicate", _("a near-duplicate")
        SELF_IDENTIFYING = "self_identifying", _("says which model it is")
        REFUSAL = "refusal", _("refuses to answer")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="candidates")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="candidates")
    # The indexes below begin with these two.
    generator = models.ForeignKey(
        Generator, on_delete=models.PROTECT, related_name="candidates", db_index=False
    )
    run = models.ForeignKey(
        GenerationRun, on_delete=models.PROTECT, null=True, related_name="candidates", db_index=False
    )
    external_id = models.CharField(max_length=ID_LENGTH)
    sample_index = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.PLANNED)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)  # `text` rendered once, sanitised (collector.rendering)
    steering = models.CharField(max_length=200, blank=True)  # the label of one of the generator's
    # It is made from the texts of the samples before it, so that it waits until they are there.
    follows_earlier = models.BooleanField(default=False, editable=False)
    temperature = models.FloatField(null=True, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True, editable=False)
    new_tokens = models.PositiveIntegerField(null=True, blank=True, editable=False)
    cost = models.FloatField(null=True, blank=True, editable=False)  # US dollars
    flags = models.JSONField(default=list, blank=True)  # what a manager should look at: `collector.flags`
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="duplicates"
    )  # the earlier candidate of the same prompt that says nearly the same
    left_out = models.CharField(max_length=16, choices=LeftOut, blank=True)  # why juries do not see it
    # By which rules it was compared and flagged: {"flags": version, "measure": ..., "threshold": ...}
    marked_with = models.JSONField(default=dict, blank=True, editable=False)
    marked_at = models.DateTimeField(null=True, editable=False)
    extra = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    generated_at = models.DateTimeField(null=True, editable=False)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["campaign", "prompt", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "generator", "steering", "sample_index"], name="candidate_planned_once"
            ),
            models.UniqueConstraint(fields=["campaign", "external_id"], name="candidate_id_unique"),
            models.CheckConstraint(condition=~Q(state="done") | ~Q(text=""), name="candidate_done_has_text"),
        ]
        indexes = [
            # In the order of claiming; and covering, so that counting a million reads no texts.
            models.Index(fields=["run", "id"], name="candidate_work", condition=Q(state="planned")),
            models.Index(fields=["run", "state", "new_tokens", "cost"], name="candidate_run_counts"),
            models.Index(fields=["generator", "state", "new_tokens", "cost"], name="candidate_counts"),
            models.Index(fields=["generator", "generated_at", "new_tokens"], name="candidate_lately"),
            models.Index(fields=["generator", "steering", "sample_index"], name="candidate_plan"),
            models.Index(fields=["generator", "id"], name="candidate_failed", condition=Q(state="failed")),
            models.Index(
                fields=["lease_token"], name="candidate_lease", condition=Q(lease_token__isnull=False)
            ),
            models.Index(
                fields=["prompt"],
                name="candidate_unmarked",
                condition=Q(state="done", marked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class Dispersion(models.Model):
    """How far apart a generator's candidates for a prompt are, and what of people's answers they cover."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="dispersions")  # a figure of it
    generator = models.ForeignKey(Generator, on_delete=models.CASCADE, related_name="dispersions")  # likewise
    measure = models.CharField(max_length=32)
    candidates = models.PositiveIntegerField()
    distinct = models.PositiveIntegerField()  # candidates that are no near-duplicates of an earlier one
    value = models.FloatField(null=True)  # mean cosine distance over pairs; null below two candidates
    people = models.PositiveIntegerField(default=0)  # answers written by people that it was compared with
    people_value = models.FloatField(null=True)  # their own dispersion
    coverage = models.FloatField(null=True)  # the share of them with a candidate in their neighbourhood
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["prompt", "generator"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "generator"], name="one_dispersion_per_generator")
        ]

    def __str__(self) -> str:
        return f"{self.prompt} / {self.generator}"


class GenerationQueue(models.Model):
    """A queue of generation work, and the one message about it that counts: `collector.queues`."""

    name = models.SlugField(max_length=64, unique=True)
    ticket = models.PositiveBigIntegerField(default=0)
    published_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class WorkerHeartbeat(models.Model):
    """When a Celery worker was last alive, so that a page can say that none is."""

    name = models.CharField(max_length=200, unique=True)
    queues = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
