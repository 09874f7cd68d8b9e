"""Who judges, by what values, and what they said."""

import secrets
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from collector.models import ID_LENGTH, Campaign, Candidate, Criterion, FormVersion, Prompt, User


def make_public_id() -> str:
    """A random id without a dot, which some consumers cannot read."""
    return secrets.token_hex(8)


def make_nonce() -> str:
    return secrets.token_urlsafe(24)


def usual_ways() -> list[str]:
    """Everybody who has the link, and whoever can prove an id."""
    return [
        Annotator.Source.LINK,
        Annotator.Source.INVITATION,
        Annotator.Source.PROLIFIC,
        Annotator.Source.PANEL,
    ]


class Scope(models.TextChoices):
    """What a person can allow, each apart from the others."""

    TAKE_PART = "take_part", _("take part")
    RELEASE_RATINGS = "release_ratings", _("release my ratings")
    RELEASE_DEMOGRAPHICS = "release_demographics", _("release my demographic answers")
    RELEASE_FREE_TEXT = "release_free_text", _("release what I wrote")
    SPECIAL_CATEGORY = "special_category", _("use answers on religion, politics and the like")
    LINK_RELEASES = "link_releases", _("let later releases show that I am the same person")
    CONTACT = "contact", _("be contacted again")


class ConsentDocument(models.Model):
    """The text a person agrees to: written once per version and language."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="consent_documents")
    version = models.PositiveIntegerField(default=1)
    language = models.CharField(max_length=16, default="en")
    title = models.CharField(max_length=200)
    text = models.TextField(help_text=_("Markdown."))
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["campaign", "-version", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "version", "language"], name="consent_document_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} / consent {self.version} ({self.language})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stores a new document; one that people may have agreed to stays as it is."""
        if not self._state.adding:
            raise ValueError("a consent document is written once; revise it with a new version")
        super().save(*args, **kwargs)

    @property
    def markdown(self) -> str:
        """What `sha256` is the hash of."""
        return f"# {self.title}\n\n{self.text}\n"


class Stratum(models.Model):
    """A cell of the jury, such as "18-34 / woman", with its seats per prompt."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="strata_cells")
    label = models.CharField(max_length=200)
    attributes = models.JSONField(default=dict)  # {"age_band": "18-34", "gender": "woman"}
    seats = models.PositiveSmallIntegerField(default=1)
    is_wildcard = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["campaign", "position", "pk"]
        verbose_name_plural = "strata"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "label"], name="stratum_label_unique"),
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(is_wildcard=True), name="one_wildcard_per_campaign"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class AnnotatorQuerySet(models.QuerySet["Annotator"]):
    def people(self) -> "AnnotatorQuerySet":
        """Those who are not simulated."""
        return self.exclude(source=Annotator.Source.SIMULATED)

    def present(self) -> "AnnotatorQuerySet":
        return self.exclude(state=Annotator.State.WITHDRAWN)


class Annotator(models.Model):
    """One person (or one simulated juror) in one campaign, without anything that identifies them."""

    class State(models.TextChoices):
        ENROLLED = "enrolled", _("enrolled")
        DONE = "done", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Source(models.TextChoices):
        LINK = "link", _("open link")
        INVITATION = "invitation", _("invitation code")
        PROLIFIC = "prolific", _("Prolific")
        MTURK = "mturk", _("Mechanical Turk")
        PANEL = "panel", _("signed panel link")
        ACCOUNT = "account", _("local account")
        IMPORTED = "imported", _("imported")
        SIMULATED = "simulated", _("simulated")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="annotators")
    external_id = models.CharField(max_length=ID_LENGTH, default=make_public_id)
    stratum = models.ForeignKey(Stratum, on_delete=models.PROTECT, null=True, related_name="annotators")
    state = models.CharField(max_length=16, choices=State, default=State.ENROLLED)
    source = models.CharField(max_length=16, choices=Source, default=Source.LINK)
    language = models.CharField(max_length=16, default="en")
    languages = models.JSONField(default=list)  # those in which they can be asked
    weight = models.FloatField(null=True, blank=True)
    soft_levels = models.JSONField(default=dict, blank=True)  # {attribute: level} that juries are balanced by
    flags = models.JSONField(default=list, blank=True)
    check_tries = models.PositiveSmallIntegerField(default=0)  # of the questions on the instructions
    check_passed_at = models.DateTimeField(null=True)
    withdrawal_hash = models.CharField(max_length=64, blank=True, db_index=True)
    enrolled_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    extra = models.JSONField(default=dict, blank=True)

    objects = AnnotatorQuerySet.as_manager()

    class Meta:
        ordering = ["campaign", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "external_id"], name="annotator_id_unique"),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def is_simulated(self) -> bool:
        return self.source == self.Source.SIMULATED

    @property
    def is_withdrawn(self) -> bool:
        return self.state == self.State.WITHDRAWN


class Identity(models.Model):
    """The only place where a platform id is kept: as a keyed hash, and sealed where people are paid by it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT)
    annotator = models.OneToOneField(Annotator, on_delete=models.CASCADE)  # never outlives the person
    id_hash = models.CharField(max_length=64)
    sealed = models.TextField(blank=True)  # see annotations/platform_ids.py
    is_verified = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["campaign", "id_hash"], name="identity_unique")]

    def __str__(self) -> str:
        return f"identity of {self.annotator_id}"


class Tombstone(models.Model):
    """What stays of a withdrawal: enough to refuse silent re-enrolment, and nothing more."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT)
    id_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "id_hash"], name="tombstone_unique")]

    def __str__(self) -> str:
        return f"tombstone {self.pk}"


class Recruitment(models.Model):
    """How people come into one campaign, what they are paid, and how long their platform ids are kept."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE)  # means nothing without it
    ways = models.JSONField(default=usual_ways)  # of Annotator.Source, those that let somebody in
    prolific_study = models.CharField(max_length=64, blank=True)
    prolific_workspace = models.CharField(max_length=64, blank=True)
    allow_unverified = models.BooleanField(default=False)
    excludes = models.ManyToManyField(Campaign, blank=True, related_name="+")
    panel_key_version = models.PositiveSmallIntegerField(default=1)
    keep_ids = models.BooleanField(default=False)
    retention_days = models.PositiveSmallIntegerField(default=60)
    currency = models.CharField(max_length=3, default="USD")
    reward_complete = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    reward_partial = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    reward_screened_out = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    target_hourly = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True, default=12)
    # What the platform calls each way to end; empty: a code of each person's own.
    code_complete = models.CharField(max_length=32, blank=True)
    code_partial = models.CharField(max_length=32, blank=True)
    code_screened_out = models.CharField(max_length=32, blank=True)
    return_url = models.CharField(max_length=500, blank=True)  # {code} in it stands for the code

    class Meta:
        verbose_name_plural = "recruitment"

    def __str__(self) -> str:
        return f"recruitment for {self.campaign_id}"


class InvitationCode(models.Model):
    """Lets one person in, once; only its hash is kept."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT)
    annotator = models.OneToOneField(Annotator, on_delete=models.SET_NULL, null=True)  # stays used without
    code_hash = models.CharField(max_length=64, unique=True)
    reference = models.CharField(max_length=100, blank=True)  # the manager's word for who was invited
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["campaign", "pk"]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class SpentToken(models.Model):
    """A signed link that has been used; kept until the link would have ended by itself."""

    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"spent token {self.pk}"


class Completion(models.Model):
    """How somebody's work ended, which code they were given for it, and whether they are paid."""

    class Kind(models.TextChoices):
        COMPLETE = "complete", _("complete")
        PARTIAL = "partial", _("stopped early")
        SCREENED_OUT = "screened_out", _("no seat for them")

    annotator = models.OneToOneField(Annotator, on_delete=models.PROTECT)
    kind = models.CharField(max_length=16, choices=Kind)
    given_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=8, decimal_places=2, null=True)  # what was paid
    paid_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["paid_at"], name="completion_paid")]

    def __str__(self) -> str:
        return f"{self.annotator_id} ({self.kind})"


class Volunteer(models.Model):
    """One person of the pool a panel was drawn from, with the chance they had; no name, only keyed hashes."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="volunteers")
    id_hash = models.CharField(max_length=64)
    attributes = models.JSONField(default=dict)
    selection_probability = models.FloatField()
    # Of those who were drawn; whoever entered by it is the volunteer.
    invitation = models.OneToOneField(InvitationCode, on_delete=models.PROTECT, null=True)

    class Meta:
        ordering = ["campaign", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "id_hash"], name="volunteer_unique"),
            models.CheckConstraint(
                condition=Q(selection_probability__gte=0) & Q(selection_probability__lte=1),
                name="volunteer_probability",
            ),
        ]

    def __str__(self) -> str:
        return f"volunteer {self.pk}"


class Consent(models.Model):
    """What one annotator allowed, at one time; the latest counts."""

    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="consents")
    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT)
    scopes = models.JSONField()
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["annotator", "pk"]

    def __str__(self) -> str:
        return f"{self.annotator} / {self.document}"


class ValueProfile(models.Model):
    """What one annotator answered about themselves, one row a version."""

    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="profiles")
    version = models.PositiveIntegerField()
    # {instrument id: {"version", "sha256", "language", "answers": {item: value | {"missing": reason}}}}
    answers = models.JSONField(default=dict)
    attributes = models.JSONField(default=dict)
    scores = models.JSONField(default=dict)
    flags = models.JSONField(default=list, blank=True)  # straight_lining, too_many_blanks, failed_catch
    text = models.TextField(blank=True)  # only words the person wrote or accepted
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["annotator", "version"]
        constraints = [
            models.UniqueConstraint(fields=["annotator", "version"], name="profile_version_unique")
        ]

    def __str__(self) -> str:
        return f"{self.annotator} / profile {self.version}"


class ProfileSummary(models.Model):
    """What a generator makes of one profile version's own words, until the person has decided on it."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        PROPOSED = "proposed", _("proposed")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")
        OUTDATED = "outdated", _("outdated")  # the person changed their words before it was decided on

    # What is withdrawn with a profile is its summary too.
    profile = models.OneToOneField(ValueProfile, on_delete=models.CASCADE, related_name="summary")
    state = models.CharField(max_length=16, choices=State, default=State.PLANNED)
    text = models.TextField(blank=True)  # as the generator wrote it
    provenance = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["profile"]
        verbose_name_plural = "profile summaries"
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(state="planned"), name="summary_unfinished")
        ]

    def __str__(self) -> str:
        return f"summary of {self.profile_id} ({self.state})"


class SuppliedText(models.Model):
    """A questionnaire's words in one language, brought by a campaign's owner who may use them.

    Needed where an instrument's licence does not let its words come with this program. The latest row of
    a campaign, instrument and language counts; earlier ones stay, for answers that point at their hash.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="supplied_texts")
    instrument = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    language = models.CharField(max_length=16)
    content = models.TextField()  # text.<language>.toml
    sha256 = models.CharField(max_length=64)  # of the structure's bytes followed by the content's
    attestation = models.TextField()  # the sentence that was agreed to
    # A right somebody vouched for stays vouched for by them.
    attested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    attested_at = models.DateTimeField()

    class Meta:
        ordering = ["campaign", "instrument", "language", "pk"]

    def __str__(self) -> str:
        return f"{self.instrument} ({self.language}) for {self.campaign}"


class Quota(models.Model):
    """How many seats one prompt has for one stratum, and how many are taken: held or filled.

    A seat becomes a row when it is held; the open ones are `seats - taken`. The check constraint is
    the last word against overbooking, the conditional update in `assignment` the first.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="quotas")
    stratum = models.ForeignKey(Stratum, on_delete=models.PROTECT, related_name="quotas")
    language = models.CharField(max_length=16)
    seats = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)
    filled = models.PositiveSmallIntegerField(default=0)
    need = models.GeneratedField(
        expression=F("seats") - F("taken"), output_field=models.IntegerField(), db_persist=True
    )
    shuffle = models.BigIntegerField(default=0)  # a seeded random place, so that ties spread over prompts

    class Meta:
        ordering = ["campaign", "prompt", "stratum"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "stratum"], name="quota_unique"),
            models.CheckConstraint(
                condition=Q(filled__gte=0) & Q(filled__lte=F("taken")) & Q(taken__lte=F("seats")),
                name="quota_not_overbooked",
            ),
        ]
        indexes = [
            models.Index(fields=["stratum", "language", "-need", "shuffle"], name="quota_largest_need")
        ]

    def __str__(self) -> str:
        return f"{self.prompt_id} / {self.stratum_id}: {self.taken} of {self.seats}"


class Seat(models.Model):
    """One annotator's place on one prompt's jury: held until `held_until`, then filled or void."""

    class State(models.TextChoices):
        HELD = "held", _("held")
        FILLED = "filled", _("filled")
        VOID = "void", _("void")

    class VoidReason(models.TextChoices):
        EXPIRED = "expired", _("expired")
        SKIPPED = "skipped", _("skipped")
        WITHDRAWN = "withdrawn", _("withdrawn")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="seats")
    stratum = models.ForeignKey(Stratum, on_delete=models.PROTECT, related_name="+")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="seats")
    state = models.CharField(max_length=8, choices=State, default=State.HELD)
    void_reason = models.CharField(max_length=16, choices=VoidReason, blank=True)
    is_surplus = models.BooleanField(default=False)  # a late ballot for a place that was given to another
    repeat_index = models.PositiveSmallIntegerField(default=0)
    purpose = models.CharField(
        max_length=16, choices=Prompt.Purpose, default=Prompt.Purpose.JUDGED
    )  # the prompt's own: practice and attention items are no part of a jury
    position = models.PositiveIntegerField(default=0)  # the how-many-eth seat of this annotator
    candidate_order = models.JSONField(default=list)  # candidate keys in the order shown
    nonce = models.CharField(max_length=43, default=make_nonce, unique=True, editable=False)
    held_at = models.DateTimeField()
    held_until = models.DateTimeField()
    filled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["annotator", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["annotator", "prompt", "repeat_index"],
                condition=Q(state__in=["held", "filled"]),
                name="nobody_sits_twice",
            ),
        ]
        indexes = [
            models.Index(fields=["held_until"], condition=Q(state="held"), name="seat_expiry"),
            models.Index(fields=["campaign", "state"], name="seat_progress"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator_id} on {self.prompt_id} ({self.state})"

    @property
    def is_counted(self) -> bool:
        """Whether it takes a place of its quota; surplus, repeated and practice seats stand beside them."""
        return not self.is_surplus and not self.repeat_index and self.purpose == Prompt.Purpose.JUDGED


class Ballot(models.Model):
    """Everything one annotator said from one seat, stored together; a change is a new revision."""

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="ballots")
    form = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="ballots")
    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    active_seconds = models.FloatField(null=True)
    seconds = models.FloatField(null=True)
    submitted_at = models.DateTimeField(null=True)  # unknown for some imported ratings

    class Meta:
        ordering = ["seat", "revision"]
        constraints = [
            models.UniqueConstraint(fields=["seat", "revision"], name="ballot_revision_unique"),
            models.UniqueConstraint(fields=["seat"], condition=Q(is_current=True), name="one_current_ballot"),
        ]

    def __str__(self) -> str:
        return f"ballot of seat {self.seat_id}, revision {self.revision}"


class Missing(models.TextChoices):
    """Why there is no answer."""

    DECLINED = "declined", _("declined")
    NOT_APPLICABLE = "not_applicable", _("not applicable")
    NOT_ASKED = "not_asked", _("not asked")
    NOT_REACHED = "not_reached", _("not reached")


class Rating(models.Model):
    """One annotator, one candidate, one criterion, one value or the reason why there is none."""

    ballot = models.ForeignKey(Ballot, on_delete=models.PROTECT, related_name="ratings")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="ratings")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="ratings")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="ratings")
    value = models.FloatField(null=True)  # the number, or the category's position
    missing = models.CharField(max_length=16, choices=Missing, blank=True)
    position = models.PositiveSmallIntegerField(null=True)  # where the candidate stood on the page, from 1
    seconds = models.FloatField(null=True)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["ballot", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["ballot", "candidate", "criterion"], name="rating_unique"),
            models.CheckConstraint(
                condition=Q(value__isnull=False, missing="") | (Q(value__isnull=True) & ~Q(missing="")),
                name="rating_value_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.annotator_id} / {self.candidate_id} / {self.criterion_id}"


class Choice(models.Model):
    """A preference between two candidates of one prompt."""

    ballot = models.ForeignKey(Ballot, on_delete=models.PROTECT, related_name="choices")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="choices")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="choices")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="choices")
    chosen = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="choices_won")
    rejected = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="choices_lost")
    strength = models.FloatField(null=True)
    tie = models.BooleanField(default=False)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["ballot", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["ballot", "criterion", "chosen", "rejected"], name="choice_unique"
            ),
            models.CheckConstraint(condition=~Q(chosen=F("rejected")), name="choice_between_two"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator_id} / {self.prompt_id} / {self.chosen_id} over {self.rejected_id}"
