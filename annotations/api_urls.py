"""What this application adds under /api/v1/."""

from django.urls import path

from annotations import api, profile_api

urlpatterns = [
    path("campaigns/<slug:slug>/strata/", api.StratumList.as_view(), name="strata"),
    path("campaigns/<slug:slug>/strata/<int:position>/", api.StratumView.as_view(), name="stratum"),
    path("campaigns/<slug:slug>/forecast/", api.ForecastView.as_view(), name="forecast"),
    path("campaigns/<slug:slug>/instruments/", profile_api.InstrumentsView.as_view(), name="instruments"),
    path("campaigns/<slug:slug>/reliability/", profile_api.ReliabilityView.as_view(), name="reliability"),
    path("campaigns/<slug:slug>/progress/", api.ProgressView.as_view(), name="progress"),
]
