"""What a person sees when something cannot be done; under /api/ the API's error shape answers."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_ratelimit.exceptions import Ratelimited

from collector import api_errors

RETRY_SECONDS = 60


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return api_errors.bad_request(request, exception)
    return _page(request, HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return api_errors.permission_denied(request, exception)
    if isinstance(exception, Ratelimited):
        response = _page(request, HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return _page(request, HTTPStatus.FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, HTTPStatus.FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return api_errors.page_not_found(request, exception)
    return _page(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        return api_errors.server_error(request)
    return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(api_errors.API_PREFIX)


def _page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    return render(request, "annotations/error.html", {"status": status.value}, status=status)
