"""Addresses of the annotator's pages; none carries anything that says who somebody is."""

from django.urls import path

from annotations import ending, join, my_data, practice_pages, profile_pages, views

app_name = "annotations"
urlpatterns = [
    path("join/<slug:slug>/", join.join, name="join"),
    path("c/<slug:slug>/language/", join.language, name="language"),
    path("c/<slug:slug>/consent/", views.consent, name="consent"),
    path("c/<slug:slug>/profile/", profile_pages.profile, name="profile"),
    path("c/<slug:slug>/my-profile/", profile_pages.my_profile, name="my_profile"),
    path("c/<slug:slug>/my-profile/summary/", profile_pages.decide_summary, name="decide_summary"),
    path("c/<slug:slug>/my-profile/text/", profile_pages.change_text, name="change_text"),
    path("c/<slug:slug>/check/", practice_pages.check, name="check"),
    path("c/<slug:slug>/practice/<str:nonce>/", practice_pages.explained, name="explained"),
    path("c/<slug:slug>/rate/", views.rate, name="rate"),
    path("c/<slug:slug>/rate/next/", views.rate_next, name="rate_next"),
    path("c/<slug:slug>/rate/send/", views.submit, name="submit_ballot"),
    path("c/<slug:slug>/rate/skip/", views.skip, name="skip_seat"),
    path("c/<slug:slug>/rate/hold/", views.hold, name="hold_seat"),
    path("c/<slug:slug>/done/", ending.done, name="done"),
    path("c/<slug:slug>/stop/", ending.stop_early, name="stop"),
    path("c/<slug:slug>/withdraw/", my_data.leave, name="withdraw"),
    path("my-data/", my_data.my_data, name="my_data"),
    path("my-data/consent/<slug:slug>/", my_data.change_consent, name="change_consent"),
    path("my-data/withdraw/", my_data.leave_all, name="withdraw_all"),
    path("my-data/export/", my_data.export, name="my_data_export"),
]
