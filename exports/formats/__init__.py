"""The formats a release can be exported to, by name; each is one file here."""

from exports.formats.aepo import AEPO
from exports.formats.community_alignment import COMMUNITY_ALIGNMENT
from exports.formats.copl import COPL
from exports.formats.format import Format
from exports.formats.global_opinions import GLOBAL_OPINIONS
from exports.formats.lewidi import LEWIDI
from exports.formats.modular_pluralism import MODULAR_PLURALISM
from exports.formats.pal import PAL
from exports.formats.persona import PERSONA
from exports.formats.plurals import PLURALS
from exports.formats.pref import PREF
from exports.formats.trl import TRL
from exports.formats.vpl import VPL

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        PAL,
        PREF,
        COPL,
        VPL,
        PERSONA,
        GLOBAL_OPINIONS,
        MODULAR_PLURALISM,
        COMMUNITY_ALIGNMENT,
        TRL,
        LEWIDI,
        AEPO,
        PLURALS,
    )
}
