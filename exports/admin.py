"""Django's admin for releases, which never change: to be looked at."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.admin import TabularInline

from collector.admin import ReadOnlyAdmin
from exports.models import Release, ReleaseFile


class ReleaseFileInline(TabularInline):
    model = ReleaseFile
    fields = ["path", "rows", "size", "sha256"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ["campaign", "version", "state", "tier", "has_simulated", "created_at", "published_at"]
    list_filter = ["state", "tier", "campaign"]
    search_fields = ["version", "campaign__title"]
    exclude = ["id_key"]
    inlines = [ReleaseFileInline]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Release]:
        return super().get_queryset(request).select_related("campaign", "created_by")
