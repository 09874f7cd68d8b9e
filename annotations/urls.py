"""Addresses of the annotator's pages; none carries anything that says who somebody is."""

from django.urls import path

from annotations import my_data, views

app_name = "annotations"
urlpatterns = [
    path("join/<slug:slug>/", views.join, name="join"),
    path("c/<slug:slug>/consent/", views.consent, name="consent"),
    path("c/<slug:slug>/profile/", views.profile, name="profile"),
    path("c/<slug:slug>/rate/", views.rate, name="rate"),
    path("c/<slug:slug>/rate/next/", views.rate_next, name="rate_next"),
    path("c/<slug:slug>/rate/send/", views.submit, name="submit_ballot"),
    path("c/<slug:slug>/rate/skip/", views.skip, name="skip_seat"),
    path("c/<slug:slug>/done/", views.done, name="done"),
    path("c/<slug:slug>/withdraw/", my_data.leave, name="withdraw"),
    path("my-data/", my_data.my_data, name="my_data"),
    path("my-data/export/", my_data.export, name="my_data_export"),
]
