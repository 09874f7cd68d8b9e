"""Django's admin for the raw records of what is asked; the console is the place for the work."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from knox.models import AuthToken
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from collector.models import (
    Campaign,
    Candidate,
    Criterion,
    FormVersion,
    GenerationRun,
    Generator,
    Membership,
    Prompt,
    User,
)
from collector.steering_spec import SteeringRefused, read_steerings

# Rights are given by campaign, and a token is made and revoked by its owner.
admin.site.unregister(Group)
admin.site.unregister(AuthToken)


class ReadOnlyAdmin(ModelAdmin):
    """Facts: to be looked at, never typed in, changed or removed here."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class DraftAdmin(ModelAdmin):
    """Part of a campaign's content: changed while the campaign is a draft, and then only looked at."""

    list_per_page = 50
    autocomplete_fields = ["campaign"]
    list_select_related = ["campaign"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.campaign.is_draft)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # No bulk action: it would look at no row's campaign.
        return obj is not None and obj.campaign.is_draft and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["campaign"] if obj else [])]

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField | None:
        if db_field.name == "campaign":
            kwargs["queryset"] = Campaign.objects.filter(state=Campaign.State.DRAFT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_staff", "last_login"]


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    """Its state is moved on the console only, and its jury stands still once it has been opened."""

    list_display = ["title", "slug", "state", "is_demo", "is_imported", "created_at"]
    list_filter = ["state", "is_demo", "is_imported"]
    search_fields = ["title", "slug"]
    readonly_fields = ["state", "seed", "is_demo", "is_imported", "created_at", "opened_at", "closed_at"]
    inlines = [MembershipInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        fixed = ["slug"] if obj else []
        if obj and not obj.is_draft:
            fixed += ["languages", "strata", "seats_per_stratum", "wildcard_seats"]
        return [*self.readonly_fields, *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Criterion)
class CriterionAdmin(DraftAdmin):
    list_display = ["name", "campaign", "kind", "question", "position"]
    list_filter = ["kind", "campaign"]
    search_fields = ["name", "question"]


@admin.register(Prompt)
class PromptAdmin(DraftAdmin):
    list_display = ["external_id", "campaign", "language", "topic", "text_start"]
    list_filter = ["language", "campaign"]
    search_fields = ["external_id", "text"]
    show_full_result_count = False

    @admin.display(description="text")
    def text_start(self, prompt: Prompt) -> str:
        return prompt.conversation[-1]["content"][:80]


class GeneratorForm(forms.ModelForm):
    """A generator whose steerings are checked as everywhere else."""

    def clean_steerings(self) -> list[dict[str, Any]]:
        try:
            return read_steerings(self.cleaned_data["steerings"])
        except SteeringRefused as error:
            raise ValidationError([f"{fault.path()}: {fault.message}" for fault in error.faults]) from error


@admin.register(Generator)
class GeneratorAdmin(DraftAdmin):
    form = GeneratorForm
    list_display = ["name", "campaign", "provider", "model", "samples", "temperature"]
    list_filter = ["provider", "campaign"]
    search_fields = ["name", "model"]


@admin.register(GenerationRun)
class GenerationRunAdmin(ReadOnlyAdmin):
    list_display = ["generator", "campaign", "state", "created_at", "started_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["generator__campaign"]

    @admin.display(description="campaign")
    def campaign(self, run: GenerationRun) -> str:
        return str(run.generator.campaign)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[GenerationRun]:
        return super().get_queryset(request).select_related("generator__campaign")


@admin.register(Candidate)
class CandidateAdmin(ReadOnlyAdmin):
    list_display = ["external_id", "campaign", "prompt", "generator", "state", "attempts", "generated_at"]
    list_filter = ["state", "campaign"]
    search_fields = ["external_id", "text"]
    list_select_related = ["campaign", "prompt", "generator"]
    exclude = ["html"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Candidate]:
        return (
            super().get_queryset(request).select_related("campaign", "prompt", "generator", "run__generator")
        )


@admin.register(FormVersion)
class FormVersionAdmin(ReadOnlyAdmin):
    list_display = ["campaign", "number", "sha256", "created_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign"]
