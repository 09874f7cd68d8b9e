"""Every address of the site; later applications are named only as dotted strings."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", include("console.urls")),
    path("", include("annotations.urls")),
    path("", include("collector.health_urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("account/", include("console.account_urls")),
    # One door: Django's own would ask for no second factor.
    path("admin/login/", RedirectView.as_view(pattern_name="console:sign_in", query_string=True)),
    path("admin/", admin.site.urls),
    path("api/", include("collector.api_urls")),
]

handler400 = "collector.error_pages.bad_request"
handler403 = "collector.error_pages.permission_denied"
handler404 = "collector.error_pages.page_not_found"
handler500 = "collector.error_pages.server_error"
