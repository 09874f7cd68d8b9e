"""The content security policy of Django's admin, wider than ours: docs/decisions/0003-admin-csp.md."""

from collections.abc import Callable

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

ADMIN_CSP = {
    # Unfold's menus are written for Alpine, which evaluates the expressions in its attributes.
    "script-src": [UNSAFE_EVAL],
    # Its colours stand in a style element, and the sizes of its widgets in style attributes.
    "style-src": [UNSAFE_INLINE],
}


class AdminPolicyMiddleware:
    """Widens the policy under the admin's address, and nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.strict = get_response
        self.widened = csp_update(ADMIN_CSP)(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.widened if request.path.startswith(reverse("admin:index")) else self.strict
        response: HttpResponse = answer(request)
        return response
