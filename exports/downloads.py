"""Sending one file of a release, whole or a range of it, its checksum as the ETag; and who was sent it."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import IO

from django.core.files.storage import storages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import parse_etags

from collector.models import User
from exports.models import Download, Release, ReleaseFile
from exports.releases import release_folder

CHUNK = 256 * 1024
MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
RANGE = re.compile(r"\Abytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\Z")


def open_release_file(release: Release, path: str) -> IO[bytes]:
    """The bytes as stored; `path` must be that of a ReleaseFile."""
    return storages["releases"].open(f"{release_folder(release)}/{path}", "rb")


def send_file(request: HttpRequest, file: ReleaseFile, *, inline: bool = False) -> HttpResponseBase:
    """200 with all of it, 206 with one range, 304 where the reader has it, 416 where there is no such range.

    Several ranges at once are answered with the whole, as RFC 9110 allows. What is sent is kept as Download.
    """
    etag = f'"{file.sha256}"'
    if _has_it(request, etag):
        return _with_headers(HttpResponse(status=HTTPStatus.NOT_MODIFIED), file, etag)
    span = _asked_range(request, file.size, etag)
    if span is None:
        return _with_headers(_empty(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, file.size), file, etag)
    response = StreamingHttpResponse(
        _read(file, span),
        content_type=MEDIA_TYPES.get(PurePosixPath(file.path).suffix, "application/octet-stream"),
    )
    response["Content-Length"] = str(len(span))
    if len(span) < file.size:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{file.size}"
    if not inline:
        # Names of files in a release are ours: letters, digits, dots.
        response["Content-Disposition"] = f'attachment; filename="{PurePosixPath(file.path).name}"'
    if request.method == "GET":
        user = request.user if isinstance(request.user, User) else None
        Download.objects.create(release=file.release, user=user, path=file.path, sent_at=timezone.now())
    return _with_headers(response, file, etag)


def _has_it(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in [tag.removeprefix("W/") for tag in known]


def _asked_range(request: HttpRequest, size: int, etag: str) -> range | None:
    """The bytes to send: everything where no single range is asked for, None where it is outside the file."""
    everything = range(size)
    asked = RANGE.match(request.headers.get("Range", ""))
    if not asked or request.headers.get("If-Range", etag) != etag:
        return everything
    first, last = asked["first"], asked["last"]
    if first:
        if last and int(last) < int(first):
            return everything
        span = range(int(first), min(int(last) + 1, size) if last else size)
    elif last:
        span = range(max(size - int(last), 0), size)
    else:
        return everything
    return span or None


def _empty(status: HTTPStatus, size: int) -> HttpResponse:
    return HttpResponse(status=status, headers={"Content-Range": f"bytes */{size}"})


def _with_headers(response: HttpResponseBase, file: ReleaseFile, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    # A file never changes, but the right to read it may: kept by the reader alone, and asked for again.
    response["Cache-Control"] = "private, no-cache"
    return response


def _read(file: ReleaseFile, span: range) -> Iterator[bytes]:
    with open_release_file(file.release, file.path) as stream:
        stream.seek(span.start)
        left = len(span)
        while left and (chunk := stream.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
