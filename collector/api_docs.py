"""The API readable in a browser, from our own files only."""

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularSwaggerSplitView

DOCS_CSP = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],  # Swagger UI's stylesheet carries its icons
    "font-src": [SELF],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "object-src": [NONE],
    "frame-ancestors": [NONE],
}


@method_decorator(csp_replace(DOCS_CSP), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI over `/api/schema/`, without anything inline."""

    template_name = "collector/api_docs.html"
