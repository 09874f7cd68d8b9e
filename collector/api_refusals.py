"""Refusals DRF has no exception for; apart, as settings name parsers that raise them while DRF loads."""

from collections.abc import Mapping
from http import HTTPStatus

from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """What was asked for is well formed, but not possible in the state things are in; `fields` says why."""

    status_code = HTTPStatus.CONFLICT
    default_detail = gettext_lazy("This is not possible now.")
    default_code = "conflict"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message, code)
        self.fields = dict(fields or {})


class TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The request is too large.")
    default_code = "too_large"
