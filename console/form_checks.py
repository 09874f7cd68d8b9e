"""Checks that several forms make of one field, each with its reason in words."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _


def between(number: Any, low: float, high: float) -> Any:
    if not low <= number <= high:
        raise ValidationError(
            _("Must be from %(low)s to %(high)s.") % {"low": f"{low:g}", "high": f"{high:g}"}
        )
    return number


def positive(number: int) -> int:
    """As large as the database takes it."""
    return int(between(number, 1, 32_767))


def free_name(name: str, others: QuerySet[Any]) -> str:
    if others.filter(name=name).exists():
        raise ValidationError(_('"%(name)s" is there already.') % {"name": name})
    return name
