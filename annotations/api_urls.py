"""What this application adds under /api/v1/."""

from django.urls import path

from annotations import api

urlpatterns = [
    path("campaigns/<slug:slug>/strata/", api.StratumList.as_view(), name="strata"),
    path("campaigns/<slug:slug>/progress/", api.ProgressView.as_view(), name="progress"),
]
