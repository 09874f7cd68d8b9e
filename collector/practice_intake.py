"""The columns of a prompt that is practice or an attention item: what is expected of an answer, and why."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from collector.models import Criterion, Prompt
from collector.tabular import Row, parse_json

if TYPE_CHECKING:
    from collector.intake import Reader

PRACTICE_COLUMNS = ("purpose", "expected", "explanation")
Purpose = Prompt.Purpose


def read_practice(reader: "Reader", row: Row, criteria: Mapping[str, Criterion]) -> dict[str, Any]:
    """The three columns as fields of a prompt; faults are noted with the reader."""
    purpose = reader.text(row, "purpose", longest=16) or Purpose.JUDGED
    explanation = reader.text(row, "explanation", longest=2**14)
    if purpose not in Purpose.values:
        said = {"value": purpose, "known": ", ".join(Purpose.values)}
        reader.fault(row, "purpose", _('"%(value)s" is none of: %(known)s') % said)
    expected = _read_expected(reader, row, criteria)
    if purpose == Purpose.JUDGED and (expected or explanation):
        column = "expected" if expected else "explanation"
        reader.fault(row, column, _("belongs to practice and attention items only"))
    if purpose == Purpose.ATTENTION and not expected and "expected" in row.values:
        reader.fault(row, "expected", _("says nothing, so nobody could be seen to follow it"))
    return {"purpose": purpose, "expected": expected, "explanation": explanation}


def fault_of_expected(expected: object, criteria: Mapping[str, Criterion]) -> str | None:
    """What is wrong with `{criterion: value or [lowest, highest]}`, in words."""
    if not isinstance(expected, dict):
        return _('is not like {"criterion": 3} or {"criterion": [1, 2]}')
    for name, wanted in expected.items():
        criterion = criteria.get(name)
        if criterion is None:
            said = {"name": name, "known": ", ".join(criteria)}
            return _('names "%(name)s", which is none of the criteria: %(known)s') % said
        values = wanted if isinstance(wanted, list) else [wanted, wanted]
        if len(values) != 2 or not all(_is_number(value) for value in values) or values[0] > values[1]:
            return _('has neither a number nor [lowest, highest] for "%(name)s"') % {"name": name}
        low, high = criterion.bounds or (0.0, len(criterion.categories) - 1.0)
        if values[0] < low or values[1] > high:
            said = {"name": name, "low": f"{low:g}", "high": f"{high:g}"}
            return _('is off the scale of "%(name)s", which goes from %(low)s to %(high)s') % said
    return None


def _read_expected(reader: "Reader", row: Row, criteria: Mapping[str, Criterion]) -> dict[str, Any]:
    value = row.values.get("expected")
    if value in (None, "", {}):
        return {}
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError as error:
            reader.fault(row, "expected", str(error))
            return {}
    if fault := fault_of_expected(value, criteria):
        reader.fault(row, "expected", fault)
        return {}
    return dict(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
