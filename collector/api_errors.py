"""The API's one error shape, for every refusal from a malformed token to a crash."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from collector.api_refusals import TooLarge

API_PREFIX = "/api/"
SHOWN_PROBLEMS = 20


def error_body(code: str, message: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """`{"error": {"code", "message", "fields"}}`; `fields` maps a dotted path to what is wrong there."""
    return {"error": {"code": code, "message": str(message), "fields": dict(fields or {})}}


def to_error_response(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal in one shape; a crash goes on to `server_error`."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound(_("There is nothing here, or nothing that you may see."))
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied(*exc.args)
    elif isinstance(exc, RequestDataTooBig):
        exc = TooLarge()
    if not isinstance(exc, exceptions.APIException):
        return None
    set_rollback()
    return Response(_describe(exc), status=exc.status_code, headers=_headers(exc))


def _describe(exc: exceptions.APIException) -> dict[str, Any]:
    if not isinstance(exc.detail, (list, dict)):
        return error_body(str(exc.detail.code), exc.detail, getattr(exc, "fields", None))
    problems = dict(_flatten(exc.detail))
    message = _("Some of what was sent is not valid.")
    if len(problems) > SHOWN_PROBLEMS:
        message = _("%(count)d problems; the first %(shown)d are shown.") % {
            "count": len(problems),
            "shown": SHOWN_PROBLEMS,
        }
    return error_body("invalid", message, dict(list(problems.items())[:SHOWN_PROBLEMS]))


def _flatten(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """`{"strata": [{}, {"levels": ["Empty."]}]}` becomes `("strata.1.levels", ["Empty."])`."""
    if isinstance(detail, list) and not any(isinstance(item, (dict, list)) for item in detail):
        yield path or "non_field_errors", [str(item) for item in detail]
        return
    items = detail.items() if isinstance(detail, dict) else enumerate(detail)
    for key, value in items:
        below = f"{path}.{key}" if path else str(key)
        if isinstance(value, (dict, list)):
            if value:
                yield from _flatten(value, below)
        else:
            yield below, [str(value)]


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    return headers


# --- what Django itself refuses under /api/ (collector.error_pages sends it here) ----------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain("bad_request", _("This request cannot be read."), HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain("permission_denied", _("You may not do this."), HTTPStatus.FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return unknown_address(request)


def server_error(request: HttpRequest) -> HttpResponse:
    message = _("Something went wrong on our side. It has been logged.")
    return _plain("server_error", message, HTTPStatus.INTERNAL_SERVER_ERROR)


@csrf_exempt  # nothing happens here, and its failure page is no JSON
def unknown_address(request: HttpRequest, path: str = "") -> HttpResponse:
    """Every other path under /api/; not redirected to one with a slash, as that would lose a POST's body."""
    message = _(
        "There is nothing at this address. Addresses of the API are listed at /api/docs/ and end in a slash."
    )
    return _plain("not_found", message, HTTPStatus.NOT_FOUND)


def _plain(code: str, message: str, status: HTTPStatus) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status)
