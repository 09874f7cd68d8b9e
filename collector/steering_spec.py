"""What a steering may say: an object with a label and the keys of one kind; faults name their place."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collector.intake import LANGUAGE
from collector.rendering import MAX_TEXT
from collector.tabular import find_fault

Entry = dict[str, Any]

MAX_STEERINGS = 50
MAX_LABEL = 200
MAX_NAME = 100  # of an attribute, a level, a score or a criterion
MAX_SCORES = 100
# Keys of the manager's own begin so, as their columns do.
OWN_PREFIX = "x_"


class Kind(models.TextChoices):
    """How a model can be told to speak; the kind's key in the entry is the same word."""

    PLAIN = "plain", gettext_lazy("not steered")
    SYSTEM = "system", gettext_lazy("system message")
    PERSONA = "persona", gettext_lazy("persona")
    PROFILE = "profile", gettext_lazy("value profile")
    ATTRIBUTE = "attribute", gettext_lazy("attribute")
    WEIGHTS = "weights", gettext_lazy("trade-off weights")
    LANGUAGE = "language", gettext_lazy("language")
    UNLIKE = "unlike", gettext_lazy("unlike the earlier samples")


KEYS: dict[Kind, tuple[str, ...]] = {
    kind: ("attribute", "level") if kind == Kind.ATTRIBUTE else (kind.value,)
    for kind in Kind
    if kind != Kind.PLAIN
}


class SteeringFault(NamedTuple):
    """What is wrong, where: the number of the entry, None for the only one, and its key, if it has one."""

    number: int | None
    key: str | None
    message: str

    def path(self, pattern: str = ".{}") -> str:
        """The place as it follows the word `steering`: ".1.weights" or, by pattern "[{}]", "[1].weights"."""
        entry = "" if self.number is None else pattern.format(self.number)
        return entry + (f".{self.key}" if self.key else "")


class SteeringRefused(Exception):
    """Steerings that cannot be used; `faults` says all that is wrong with them."""

    def __init__(self, faults: list[SteeringFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def read_steerings(value: object) -> list[Entry]:
    """The entries of what was given: a list of objects, one object, a system message, or nothing.

    Raises SteeringRefused.
    """
    entries, faults = _as_entries(value)
    if isinstance(value, list) and len(value) > MAX_STEERINGS:
        raise SteeringRefused([SteeringFault(None, None, _("There are more than %d.") % MAX_STEERINGS)])
    seen: set[str] = set()
    for index, entry in entries:
        faults += [SteeringFault(index, key, message) for key, message in _faults_of(entry)]
        label = entry.get("label", "")
        if isinstance(label, str) and label in seen:
            faults.append(SteeringFault(index, "label", _("Another steering has this label.")))
        elif isinstance(label, str):
            seen.add(label)
    if faults:
        raise SteeringRefused(faults)
    kept = [entry for _index, entry in entries]
    return [] if kept == [{}] else kept


def write_steerings(entries: list[Entry]) -> list[Entry] | Entry:
    """As files and the API show them: one object where there is one, as before there could be several."""
    return entries if len(entries) > 1 else next(iter(entries), {})


def kind_of(entry: Mapping[str, Any]) -> Kind:
    return next((kind for kind, keys in KEYS.items() if keys[0] in entry), Kind.PLAIN)


def label_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("label", ""))


def unknown_criteria(entries: list[Entry], known: set[str]) -> list[SteeringFault]:
    """A fault for each trade-off that names a criterion which is none of `known`."""
    return [
        SteeringFault(index, "weights", _('There is no criterion "%(name)s".') % {"name": name})
        for index, entry in enumerate(entries)
        for name in entry.get("weights", {})
        if name not in known
    ]


def _as_entries(value: object) -> tuple[list[tuple[int | None, Entry]], list[SteeringFault]]:
    if value is None or value == "":
        return [], []
    if isinstance(value, str):
        return [(None, {"label": value[:MAX_LABEL].strip(), "system": value})], []
    if isinstance(value, dict):
        return [(None, value)], []
    if not isinstance(value, list):
        return [], [SteeringFault(None, None, _("This is neither an object nor a list of objects."))]
    entries = [(index, entry) for index, entry in enumerate(value) if isinstance(entry, dict)]
    faults = [
        SteeringFault(index, None, _("This is no object."))
        for index, entry in enumerate(value)
        if not isinstance(entry, dict)
    ]
    return list(entries), faults


def _faults_of(entry: Entry) -> Iterator[tuple[str | None, str]]:
    """(key, message) of everything wrong with one entry."""
    if stored := find_fault(entry):
        yield None, stored
        return
    known = {"label", *(key for keys in KEYS.values() for key in keys)}
    for key in entry:
        if key not in known and not key.startswith(OWN_PREFIX):
            yield key, _("There is no such field.")
    kinds = [kind for kind, keys in KEYS.items() if any(key in entry for key in keys)]
    if len(kinds) > 1:
        named = ", ".join(kind.value for kind in kinds)
        yield None, _("A steering is of one kind; this names %(kinds)s.") % {"kinds": named}
        return
    label = entry.get("label", "")
    if not isinstance(label, str) or len(label) > MAX_LABEL:
        yield "label", _("This is not a text of at most %d characters.") % MAX_LABEL
    elif label != label.strip():
        yield "label", _("This begins or ends with a space.")
    for kind in kinds:
        yield from _CHECKS[kind](entry)


def _check_text(entry: Entry, key: str, longest: int = MAX_TEXT) -> Iterator[tuple[str, str]]:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        yield key, _("This is not a text of 1 to %d characters.") % longest


def _check_system(entry: Entry) -> Iterator[tuple[str, str]]:
    """An empty one says nothing, as it always could."""
    if entry["system"] != "":
        yield from _check_text(entry, "system")


def _check_persona(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from _check_text(entry, "persona")


def _check_attribute(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from _check_text(entry, "attribute", MAX_NAME)
    yield from _check_text(entry, "level", MAX_NAME)


def _check_profile(entry: Entry) -> Iterator[tuple[str, str]]:
    profile = entry["profile"]
    if not isinstance(profile, dict) or not (profile.get("text") or profile.get("scores")):
        yield "profile", _("This needs a text, scores, or both.")
        return
    for key in profile:
        if key not in ("text", "scores"):
            yield f"profile.{key}", _("There is no such field.")
    if "text" in profile:
        yield from ((f"profile.{key}", said) for key, said in _check_text(profile, "text"))
    scores = profile.get("scores", {})
    if not _are_numbers(scores) or len(scores) > MAX_SCORES:
        yield "profile.scores", _("These are not at most %d names with a number each.") % MAX_SCORES


def _check_weights(entry: Entry) -> Iterator[tuple[str, str]]:
    weights = entry["weights"]
    if not _are_numbers(weights) or not 1 <= len(weights) <= MAX_SCORES:
        yield "weights", _("Name criteria with a number each.")
    elif min(weights.values()) < 0 or not math.isclose(sum(weights.values()), 1, abs_tol=0.001):
        said = _("Weights are 0 or more and add up to 1; these add up to %(sum)s.")
        yield "weights", said % {"sum": f"{sum(weights.values()):g}"}


def _check_language(entry: Entry) -> Iterator[tuple[str, str]]:
    code = entry["language"]
    if not isinstance(code, str) or len(code) > 16 or not LANGUAGE.fullmatch(code):
        yield "language", _('This is no language code, such as "es".')


def _check_unlike(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry["unlike"] is not True:
        yield "unlike", _("This can only be true.")


def _are_numbers(value: object) -> bool:
    return isinstance(value, dict) and all(
        name.strip() and len(name) <= MAX_NAME and isinstance(number, int | float)
        and not isinstance(number, bool) and math.isfinite(number)
        for name, number in value.items()
    )  # fmt: skip


_CHECKS = {
    Kind.SYSTEM: _check_system,
    Kind.PERSONA: _check_persona,
    Kind.PROFILE: _check_profile,
    Kind.ATTRIBUTE: _check_attribute,
    Kind.WEIGHTS: _check_weights,
    Kind.LANGUAGE: _check_language,
    Kind.UNLIKE: _check_unlike,
}
