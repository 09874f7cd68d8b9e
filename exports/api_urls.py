"""What this application adds under /api/v1/."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from exports import api


class KeyConverter(IntConverter):
    """A primary key: no more digits than a database takes."""

    regex = "[0-9]{1,18}"


register_converter(KeyConverter, "key")

urlpatterns = [
    path("campaigns/<slug:slug>/ratings/", api.RatingList.as_view(), name="ratings"),
    path("campaigns/<slug:slug>/releases/", api.ReleaseCut.as_view(), name="cut-release"),
    path("releases/", api.ReleaseList.as_view(), name="releases"),
    path("releases/<key:pk>/", api.ReleaseDetail.as_view(), name="release"),
    path("releases/<key:pk>/files/", api.ReleaseFileList.as_view(), name="release-files"),
    path("releases/<key:pk>/files/<path:path>", api.ReleaseFileView.as_view(), name="release-file"),
    path("releases/<key:pk>/publish/", api.ReleasePublish.as_view(), name="publish-release"),
    path("releases/<key:pk>/metrics/", api.MetricList.as_view(), name="release-metrics"),
]
