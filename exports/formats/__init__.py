"""The formats a release can be exported to, by name; each is one file here."""

from exports.formats.format import Format
from exports.formats.pal import PAL
from exports.formats.persona import PERSONA
from exports.formats.pref import PREF
from exports.formats.trl import TRL

FORMATS: dict[str, Format] = {each.name: each for each in (PAL, PREF, PERSONA, TRL)}
