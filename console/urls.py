"""Addresses of the console pages."""

from django.urls import URLPattern

app_name = "console"
urlpatterns: list[URLPattern] = []
