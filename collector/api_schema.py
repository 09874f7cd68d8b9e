"""What the API says about itself: every operation with its possible refusals, and the token as the way in."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

ERRORS = {
    "400": _("Something sent is missing, unknown or not valid; `fields` says what."),
    "401": _("No token, or one that is not valid any more."),
    "403": _("You can see this, but not do it."),
    "404": _("There is nothing here, or nothing that you may see."),
    "409": _("Not possible in the state things are in."),
    "413": _("The request is too large."),
    "415": _("The request is not JSON."),
    "429": _("Too many requests; `Retry-After` says how many seconds to wait."),
}
READING = ("400", "401", "403", "404", "429")


class ErrorDetailSerializer(serializers.Serializer):
    code = serializers.CharField(help_text=_("One word for programs."))
    message = serializers.CharField(help_text=_("A sentence for people."))
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text=_("What is wrong, by the dotted path of the field."),
    )


class ErrorSerializer(serializers.Serializer):
    error = ErrorDetailSerializer()


class ApiSchema(AutoSchema):
    """Adds to every operation the refusals that every view can give."""

    def get_operation_id(self) -> str:
        """A view may say its own, where two addresses differ in nothing but a parameter."""
        return getattr(self.view, "operation_id", "") or super().get_operation_id()

    def get_tags(self) -> list[str]:
        parts = [part for part in self._tokenize_path() if not part.startswith("{")]
        return parts[-1:] if parts[:1] == ["campaigns"] else parts[:1]

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        responses = super()._get_response_bodies(direction)
        if direction != "response":
            return responses
        codes = READING if self.method == "GET" else tuple(ERRORS)
        for code in codes:
            responses.setdefault(code, self._describe_error(code))
        return responses

    def _describe_error(self, code: str) -> dict[str, Any]:
        return self._get_response_for_code(ErrorSerializer, code, ["application/json"]) | {
            "description": str(ERRORS[code])
        }


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "collector.api_access.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
