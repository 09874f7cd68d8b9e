"""What leaves: frozen, numbered releases and their files."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models import ValueProfile
from collector.models import Campaign, CampaignQuerySet, User


def make_id_key() -> str:
    return secrets.token_hex(32)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def readable_by(self, user: User) -> "ReleaseQuerySet":
        """Every one of campaigns the user manages; published ones of those they read, and all open ones."""
        campaigns: CampaignQuerySet = Campaign.objects.all()
        is_theirs = Q(campaign__in=campaigns.readable_by(user)) | Q(tier=Release.Tier.OPEN)
        return self.filter(
            Q(campaign__in=campaigns.managed_by(user)) | (Q(state=Release.State.PUBLISHED) & is_theirs)
        )


class Release(models.Model):
    """A frozen snapshot of a campaign: `cutting` until its files are complete, then never changed."""

    class State(models.TextChoices):
        CUTTING = "cutting", _("cutting")
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    class Tier(models.TextChoices):
        OPEN = "open", _("open")
        RESTRICTED = "restricted", _("restricted")
        INTERNAL = "internal", _("internal")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="releases")
    version = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=State, default=State.CUTTING)
    tier = models.CharField(max_length=16, choices=Tier, default=Tier.INTERNAL)
    has_simulated = models.BooleanField(default=False)
    cutoff = models.DateTimeField()  # nothing after it is in the release
    # Keys the ids annotators have in this release, so that they link to no other release.
    id_key = models.CharField(max_length=64, default=make_id_key, editable=False)
    seed = models.PositiveIntegerField(default=0)
    manifest = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["campaign", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "version"], name="release_version_unique"),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(has_simulated=False),
                name="published_release_has_people_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.version}"


class ReleaseFile(models.Model):
    """One file of a release, as written."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    rows = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["release", "path"]
        constraints = [models.UniqueConstraint(fields=["release", "path"], name="release_file_unique")]

    def __str__(self) -> str:
        return self.path


class TextReview(models.Model):
    """What somebody decided on words that an annotator wrote: how they are released, or not at all.

    Decisions are added, never changed; the latest on the same words of the same annotator counts.
    """

    class Decision(models.TextChoices):
        RELEASED = "released", _("released")
        KEPT_BACK = "kept_back", _("kept back")

    # What is withdrawn with a profile is every copy of its words.
    profile = models.ForeignKey(ValueProfile, on_delete=models.CASCADE, related_name="+")
    decision = models.CharField(max_length=16, choices=Decision)
    original = models.TextField()
    redacted = models.TextField(blank=True)  # as released
    spans = models.JSONField(default=list)  # of the original: {"start", "end", "kind"}
    # A decision outlives the account of whoever made it.
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["profile", "pk"]

    def __str__(self) -> str:
        return f"{self.decision} by {self.decided_by_id}"


class TermsAcceptance(models.Model):
    """That one person agreed to the terms of one restricted release, in these words."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="acceptances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    terms = models.TextField()
    accepted_at = models.DateTimeField()

    class Meta:
        ordering = ["release", "pk"]
        constraints = [models.UniqueConstraint(fields=["release", "user"], name="terms_accepted_once")]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.release_id}"


class Download(models.Model):
    """That somebody was sent a file of a release, whole or a part of it; nothing about their machine."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="downloads")
    # That a copy left stays known when the account is gone.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    path = models.CharField(max_length=300)
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["release", "-sent_at"], name="download_latest")]

    def __str__(self) -> str:
        return f"{self.path} to {self.user_id}"
