"""The API for what leaves: a campaign's ratings as they stand, and its releases with their files."""

from collections.abc import Iterable
from typing import Any

import structlog
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle
from rest_framework.views import APIView

from annotations.models import Rating
from collector.api_access import get_managed_campaign, signed_in_user
from collector.api_refusals import Conflict
from collector.models import Campaign
from exports.access import get_managed_release, get_release_file, get_visible_release, visible_releases
from exports.downloads import MEDIA_TYPES, send_file
from exports.models import Release, ReleaseFile
from exports.rating_stream import FORMATS, categories_of, current_ratings, read_batches, to_row
from exports.releases import InvalidVersion, NotPublishable, publish_release
from exports.serializers import (
    CutSerializer,
    MetricSerializer,
    RatingSerializer,
    ReleaseFileSerializer,
    ReleaseSerializer,
)
from exports.tasks import VersionExists, request_release

log = structlog.get_logger(__name__)

FORMAT = OpenApiParameter(
    "format",
    enum=["json", *FORMATS],
    default="json",
    description="`json`: pages. The others: the whole as one stream.",
)
STREAMS = {(200, form.media_type.partition(";")[0]): OpenApiTypes.BINARY for form in FORMATS.values()}
FILE = {
    (code, media_type.partition(";")[0]): OpenApiTypes.BINARY
    for code in (200, 206)
    for media_type in ("application/octet-stream", *MEDIA_TYPES.values())
}


class AnyAccept(BaseContentNegotiation):
    """Sends what is asked for by address, whatever `Accept` says; errors stay JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class RatingList(generics.GenericAPIView):
    """The ratings that count now, for managers; researchers read them in releases.

    Columns are those of a release's ratings, with the campaign's own annotator ids.
    """

    queryset = Rating.objects.all()
    serializer_class = RatingSerializer
    filter_backends = ()
    content_negotiation_class = AnyAccept
    throttle_scope = "heavy"

    def get_throttles(self) -> list[BaseThrottle]:
        streams = self.request.query_params.get("format", "json") != "json"
        return super().get_throttles() + ([ScopedRateThrottle()] if streams else [])

    @extend_schema(
        parameters=[FORMAT], responses={(200, "application/json"): RatingSerializer(many=True), **STREAMS}
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        campaign = get_managed_campaign(request, slug)
        name = request.query_params.get("format", "json")
        if name == "json":
            return self._page(campaign)
        if name not in FORMATS:
            raise ValidationError({"format": [_("One of %s.") % ", ".join(["json", *FORMATS])]})
        log.info("ratings_read", campaign=slug, form=name, user=request.user.pk)
        return _stream(campaign, name)

    def _page(self, campaign: Campaign) -> Response:
        categories = categories_of(campaign)
        page: list[dict[str, Any]] = self.paginate_queryset(current_ratings(campaign)) or []
        return self.get_paginated_response([to_row(values, categories) for values in page])


class ReleaseFilter(filters.FilterSet):
    campaign = filters.CharFilter(field_name="campaign__slug", help_text=gettext_lazy("Slug of a campaign."))

    class Meta:
        model = Release
        fields = ["campaign", "version", "state"]


class ReleaseList(generics.ListAPIView):
    """Published releases of campaigns you have a part in, and all of those you manage."""

    queryset = Release.objects.all()
    serializer_class = ReleaseSerializer
    filterset_class = ReleaseFilter

    def get_queryset(self) -> QuerySet[Release]:
        return visible_releases(signed_in_user(self.request))


class ReleaseDetail(generics.RetrieveAPIView):
    """One release; managers also see it while it is being cut."""

    queryset = Release.objects.all()
    serializer_class = ReleaseSerializer

    def get_object(self) -> Release:
        return get_visible_release(signed_in_user(self.request), self.kwargs["pk"])


class ReleaseFileList(generics.ListAPIView):
    """The files of a release with their checksums, sizes and rows."""

    queryset = ReleaseFile.objects.all()
    serializer_class = ReleaseFileSerializer

    def get_queryset(self) -> QuerySet[ReleaseFile]:
        return get_visible_release(signed_in_user(self.request), self.kwargs["pk"]).files.all()


class ReleaseFileView(APIView):
    """One file, byte for byte: ranges are honoured, and the ETag is its SHA-256; who was sent it is kept.

    Files of a restricted release need its terms to be agreed to on its page in the console first (403).
    """

    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Range", location=OpenApiParameter.HEADER, description="Such as `bytes=0-1023`."
            ),
            OpenApiParameter("If-None-Match", location=OpenApiParameter.HEADER),
            OpenApiParameter("path", location=OpenApiParameter.PATH, description="As in the list of files."),
        ],
        responses=FILE | {304: None, 416: None},
    )
    def get(self, request: Request, pk: int, path: str) -> HttpResponseBase:
        user = signed_in_user(request)
        file = get_release_file(user, get_visible_release(user, pk), path)
        log.info("release_file_read", release=pk, path=path, user=request.user.pk)
        return send_file(request, file)


class MetricList(APIView):
    """The records of the release's metrics.json, as they are in the file."""

    @extend_schema(responses=MetricSerializer(many=True))
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        user = signed_in_user(request)
        file = get_release_file(user, get_visible_release(user, pk), "metrics.json")
        return send_file(request, file, inline=True)


class ReleaseCut(APIView):
    """Asks a worker to cut a release: the answer's `Location` is where to watch its state leave `cutting`.

    Asking again while it is being cut joins that; a version that is there already is never cut anew.
    """

    throttle_scope = "heavy"

    def get_throttles(self) -> list[BaseThrottle]:
        return [*super().get_throttles(), ScopedRateThrottle()]

    @extend_schema(request=CutSerializer, responses={202: ReleaseSerializer})
    def post(self, request: Request, slug: str) -> Response:
        campaign = get_managed_campaign(request, slug)
        asked = CutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        release = self._request(campaign, **asked.validated_data)
        body = ReleaseSerializer(release, context={"request": request}).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})

    def _request(self, campaign: Campaign, version: str, include_simulated: bool) -> Release:
        try:
            release = request_release(
                campaign,
                version,
                user=signed_in_user(self.request),
                include_simulated=include_simulated,
                now=timezone.now(),
            )
        except InvalidVersion as error:
            raise ValidationError({"version": [str(error)]}) from error
        except VersionExists as error:
            release = campaign.releases.get(version=version)
            is_same = release.manifest.get("include_simulated", True) == include_simulated
            if release.state != Release.State.CUTTING or not is_same:
                raise Conflict(str(error), code="exists") from error
        log.info("release_asked", campaign=campaign.slug, version=version, user=self.request.user.pk)
        return release


class ReleasePublish(APIView):
    """Lets the campaign's researchers see a release; 409 where it contains simulated annotators."""

    @extend_schema(request=None, responses=ReleaseSerializer)
    def post(self, request: Request, pk: int) -> Response:
        release = get_managed_release(signed_in_user(request), pk)
        try:
            publish_release(release, timezone.now())
        except NotPublishable as error:
            raise Conflict(str(error), code="not_publishable") from error
        log.info(
            "release_published", campaign=release.campaign.slug, version=release.version, user=request.user.pk
        )
        return Response(ReleaseSerializer(release, context={"request": request}).data)


def _stream(campaign: Campaign, name: str) -> StreamingHttpResponse:
    form = FORMATS[name]
    return StreamingHttpResponse(
        form.write(read_batches(campaign)),
        content_type=form.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{campaign.slug}-ratings.{name}"',
            "Cache-Control": "private, no-store",
        },
    )
