"""campaign.json: a campaign's settings, read with every fault named, and written for a release."""

import json
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from annotations.instruments.loader import available_instruments
from annotations.strata import MAX_SEATS, are_cuts
from collector.models import Campaign, Criterion, Generator
from collector.outbound import MAX_URL
from collector.steering_spec import SteeringRefused, read_steerings, write_steerings
from collector.tabular import Problems, find_fault
from exports.cells import parse_cell
from exports.columns import CRITERIA, EXTRA_PREFIX, Column
from exports.folder import SETTINGS, unknown_message

# Column types of a generator's numbers, and the largest value the database takes.
GENERATOR_NUMBERS: dict[str, tuple[pa.DataType, int]] = {
    "temperature": (pa.float64(), 1000),
    "top_p": (pa.float64(), 1),
    "samples": (pa.int64(), 32767),
    "max_new_tokens": (pa.int64(), 2**31 - 1),
    "seed": (pa.int64(), 2**31 - 1),
}
TEXT_LIMITS = {"name": 64, "provider": 64, "model": 300}
TIERS = ("open", "restricted", "internal")
KNOWN = (
    "title", "description", "licence", "languages", "strata", "seats_per_stratum", "wildcard_seats",
    "stratum_seats", "soft_targets", "repeat_percent", "repeat_distance",
    "lease_minutes", "instruments", "criteria", "generators", "privacy", "demo",
)  # fmt: skip


class CampaignFile:
    """What campaign.json says, checked; faults go to `problems`, and what is faulty is left out."""

    def __init__(self, settings: dict[str, Any], problems: Problems) -> None:
        self.settings = settings
        self.problems = problems
        for name, value in settings.items():
            fault = find_fault(value)
            if fault:
                self.refuse(name, fault)
            elif name not in KNOWN and not name.startswith(EXTRA_PREFIX):
                self.refuse(name, unknown_message(name, list(KNOWN)))
        self.title = self._text("title", 200)
        if not self.title:
            self.refuse("title", _("is empty") if "title" in settings else _("is missing"))
        self.description = self._text("description", None)
        self.licence = self._text("licence", 64)
        self.languages = self._texts("languages", 16)
        self.seats_per_stratum = self._whole("seats_per_stratum", 1, low=0)
        has_wildcard = settings.get("wildcard_seats") is not None  # without, they follow from the others
        self.wildcard_seats = self._whole("wildcard_seats", 0, low=0) if has_wildcard else None
        self.lease_minutes = self._whole("lease_minutes", 30, low=1)
        self.is_demo = settings.get("demo") is True
        self.strata = self._attributes("strata")
        self.soft_targets = self._attributes("soft_targets")
        self.stratum_seats = self._stratum_seats()
        self.repeat_percent = self._whole("repeat_percent", 0, low=0)
        self.repeat_distance = self._whole("repeat_distance", 20, low=0)
        self.instruments = self._instruments()
        self.privacy = self._privacy()
        self.generators = [
            self._generator(entry, index) for index, entry in enumerate(self._list("generators"))
        ]

    def refuse(self, name: str, message: str) -> None:
        self.problems.add(SETTINGS, None, name, message)

    def criteria_rows(self) -> list[dict[str, Any]]:
        """The criteria as rows of the criteria table."""
        rows = []
        columns = CRITERIA.by_name
        for index, entry in enumerate(self._list("criteria")):
            place = f"criteria[{index}]"
            if not isinstance(entry, dict):
                self.refuse(place, _("is not an object"))
                continue
            row: dict[str, Any] = {}
            for name, value in entry.items():
                if name not in columns:
                    self.refuse(f"{place}.{name}", unknown_message(name, list(columns)))
                    continue
                try:
                    row[name] = parse_cell(value, columns[name])
                except ValueError as error:
                    self.refuse(f"{place}.{name}", str(error))
            rows.append(row)
        return rows

    def _list(self, name: str) -> list[Any]:
        value = self.settings.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self.refuse(name, _("is not a list"))
        return []

    def _text(self, name: str, limit: int | None) -> str:
        value = self.settings.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, _("is not text"))
            return ""
        if limit and len(value) > limit:
            self.refuse(name, _("is longer than %(limit)s characters") % {"limit": limit})
        return value

    def _texts(self, name: str, limit: int) -> list[str]:
        value = self._list(name)
        if all(isinstance(part, str) and 0 < len(part) <= limit for part in value):
            return value
        self.refuse(name, _("is not a list of short texts"))
        return []

    def _instruments(self) -> list[str] | None:
        """The questionnaires to ask; None, the usual ones, where nothing is said."""
        if self.settings.get("instruments") is None:
            return None
        known = available_instruments()
        given = self._texts("instruments", 64)
        for name in given:
            if name not in known:
                self.refuse("instruments", unknown_message(name, list(known)))
        return given

    def _whole(self, name: str, default: int, *, low: int) -> int:
        value = self.settings.get(name)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= 32767:
            return value
        self.refuse(name, _("is not a whole number from %(low)s to 32767") % {"low": low})
        return default

    def _attributes(self, setting: str) -> list[dict[str, Any]]:
        """[{"attribute", "levels", perhaps "cuts"}]; levels are empty where only the attribute was named."""
        declared: list[dict[str, Any]] = []
        for index, entry in enumerate(self._list(setting)):
            whole = {"attribute": entry, "levels": []} if isinstance(entry, str) else entry
            is_known = isinstance(whole, dict) and set(whole) <= {"attribute", "levels", "cuts"}
            name = whole.get("attribute") if is_known else None
            levels = whole.get("levels", []) if is_known else None
            place = f"{setting}[{index}]"
            if not isinstance(name, str) or not name or not isinstance(levels, list):
                self.refuse(place, _("is neither an attribute nor {attribute, levels}"))
            elif any(not isinstance(level, str) for level in levels) or len(set(levels)) < len(levels):
                self.refuse(place, _("needs levels that are different texts"))
            elif any(known["attribute"] == name for known in declared):
                self.refuse(place, _("names an attribute for the second time"))
            elif "cuts" in whole and not are_cuts(whole["cuts"], len(levels)):
                self.refuse(place, _("needs rising numbers as cuts, one fewer than there are levels"))
            else:
                declared.append({**whole, "levels": levels})
        return declared

    def _stratum_seats(self) -> dict[str, int]:
        value = self.settings.get("stratum_seats") or {}
        if isinstance(value, dict) and all(type(n) is int and 0 <= n <= MAX_SEATS for n in value.values()):
            return value
        self.refuse("stratum_seats", _("is not an object of whole numbers by stratum"))
        return {}

    def _privacy(self) -> dict[str, Any]:
        value = self.settings.get("privacy") or {}
        if not isinstance(value, dict):
            self.refuse("privacy", _("is not an object"))
            return {}
        if value.get("tier", "internal") not in TIERS:
            self.refuse("privacy.tier", _("is none of open, restricted, internal"))
        for name in ("attributes", "quasi_identifiers", "sensitive"):
            columns = value.get(name, [])
            if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
                self.refuse(f"privacy.{name}", _("is not a list of texts"))
        return value

    def _generator(self, entry: object, index: int) -> Generator:
        place = f"generators[{index}]"
        fields: dict[str, Any] = {"provider": "imported", "extra": {}}
        if not isinstance(entry, dict):
            self.refuse(place, _("is not an object"))
            entry = {}
        for name, value in entry.items():
            if name.startswith(EXTRA_PREFIX):
                fields["extra"][name] = value
            elif name == "steering":
                fields["steerings"] = self._steerings(value, f"{place}.steering")
            elif name == "endpoint":
                fields["extra"][name] = self._generator_text(value, MAX_URL, f"{place}.{name}")
            elif name == "n" and isinstance(value, bool | int):
                fields["extra"][name] = value
            elif name in TEXT_LIMITS:
                fields[name] = self._generator_text(value, TEXT_LIMITS[name], f"{place}.{name}")
            elif name in GENERATOR_NUMBERS:
                number = self._generator_number(value, name, f"{place}.{name}")
                fields |= {} if number is None else {name: number}
            else:
                known = [*TEXT_LIMITS, *GENERATOR_NUMBERS, "steering", "endpoint", "n"]
                self.refuse(f"{place}.{name}", unknown_message(name, known))
        if not fields.get("name"):
            self.refuse(f"{place}.name", _("is missing"))
        if fields.get("samples") == 0:
            self.refuse(f"{place}.samples", _("is less than 1"))
        return Generator(**fields)

    def _generator_number(self, value: object, name: str, place: str) -> float | int | None:
        kind, largest = GENERATOR_NUMBERS[name]
        try:
            number: float | int | None = parse_cell(value, Column(name, kind, ""))
            if number is not None and not 0 <= number <= largest:
                raise ValueError(_("is not from 0 to %(largest)s") % {"largest": largest})
        except ValueError as error:
            self.refuse(place, str(error))
            return None
        return number

    def _generator_text(self, value: object, limit: int, place: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > limit:
            self.refuse(place, _("is not a text of at most %(limit)s characters") % {"limit": limit})
            return ""
        return value

    def _steerings(self, value: object, place: str) -> list[dict[str, Any]]:
        try:
            return read_steerings(value)
        except SteeringRefused as error:
            for fault in error.faults:
                self.refuse(place + fault.path("[{}]"), fault.message)
            return []


def write_settings(campaign: Campaign) -> dict[str, Any]:
    """The campaign as campaign.json; its criteria are a table of their own."""
    generators = [_generator_entry(generator) for generator in Generator.objects.filter(campaign=campaign)]
    settings = {
        "title": campaign.title,
        "description": campaign.description,
        "licence": campaign.licence,
        "languages": campaign.languages,
        "strata": campaign.strata,
        "seats_per_stratum": campaign.seats_per_stratum,
        "stratum_seats": campaign.stratum_seats,
        "wildcard_seats": campaign.wildcard_seats,
        "soft_targets": campaign.soft_targets,
        "repeat_percent": campaign.repeat_percent,
        "repeat_distance": campaign.repeat_distance,
        "instruments": campaign.instruments,
        "generators": generators,
        "privacy": campaign.privacy,
    }
    # Databases keep the keys of JSON in orders of their own.
    return {name: json.loads(json.dumps(value, sort_keys=True)) for name, value in settings.items()}


def make_criterion(campaign: Campaign, row: dict[str, Any], position: int) -> Criterion:
    """A criterion from a row of the criteria table; a likert scale left open runs 1-5, a slider 0-100."""
    kind = row["kind"]
    low, high = {"likert": (1.0, 5.0), "slider": (0.0, 100.0)}.get(kind, (None, None))
    given = {
        name: row[name] for name in ("ordered", "higher_is_better", "required") if row.get(name) is not None
    }
    return Criterion(
        campaign=campaign,
        name=row["criterion"],
        question=row.get("question") or row["criterion"],
        kind=kind,
        scale_min=row["scale_min"] if row.get("scale_min") is not None else low,
        scale_max=row["scale_max"] if row.get("scale_max") is not None else high,
        categories=row.get("categories") or [],
        label_min=row.get("label_min") or "",
        label_max=row.get("label_max") or "",
        translations=row.get("translations") or {},
        position=position,
        **given,
    )


def cell_label(levels: list[str]) -> str:
    """The label of a cell of the jury."""
    return " / ".join(levels)


def _generator_entry(generator: Generator) -> dict[str, Any]:
    return {
        "name": generator.name,
        "provider": generator.provider,
        "model": generator.model,
        "samples": generator.samples,
        "temperature": generator.temperature,
        "top_p": generator.top_p,
        "max_new_tokens": generator.max_new_tokens,
        "seed": generator.seed,
        "steering": write_steerings(generator.steerings) or None,
        **generator.extra,
    }
