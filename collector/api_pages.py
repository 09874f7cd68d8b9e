"""The API's one way of cutting lists into pages."""

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.settings import api_settings


class IdPagination(CursorPagination):
    """Pages in the order of the primary key, so that rows added meanwhile neither repeat nor shift any."""

    ordering = "pk"
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int:
        """More than the maximum gives the maximum; what is no positive number is refused."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return api_settings.PAGE_SIZE or self.max_page_size
        if not asked.isascii() or not asked.isdigit() or not asked.strip("0"):
            raise exceptions.ValidationError(
                {"page_size": [_("A whole number from 1 to %d.") % self.max_page_size]}
            )
        return self.max_page_size if len(asked) > 9 else min(int(asked), self.max_page_size)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                int(cursor.position)
        except (exceptions.NotFound, ValueError):
            raise exceptions.ValidationError({"cursor": [_("This is not a cursor of this list.")]}) from None
        return cursor
