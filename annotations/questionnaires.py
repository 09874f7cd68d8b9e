"""Which questionnaires a campaign asks, and the words it asks them in: those that ship, or its owner's."""

from datetime import datetime
from typing import Any

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.instruments.instrument import Instrument, InstrumentText
from annotations.instruments.loader import (
    available_instruments,
    closest_language,
    load_instrument,
    load_text,
    read_text,
)
from annotations.instruments.toml_table import parse_toml
from annotations.models import SuppliedText
from collector.intake import LANGUAGE
from collector.models import Campaign, User

# What an owner agrees to before words that are not ours are shown to anyone; kept with each text.
ATTESTATION = gettext_lazy(
    "I may use these words in this study: I hold the rights to them, or their licence allows this use."
)
MAX_TEXT_BYTES = 200_000


class TextRefused(Exception):
    """A supplied text that cannot be taken, for the reason in its message."""


def campaign_instruments(campaign: Campaign) -> list[Instrument]:
    """The campaign's questionnaires, in the order in which they are asked."""
    return [load_instrument(name) for name in campaign.instruments]


def campaign_texts(campaign: Campaign, language: str) -> dict[str, InstrumentText]:
    """Every questionnaire's words, by its id, in the language or the closest there is.

    A text's own `language` says which one that is. An instrument without any words is left out.
    """
    supplied = _supplied_texts(campaign)
    texts = {}
    for instrument in campaign_instruments(campaign):
        own = supplied.get(instrument.id, {})
        available = tuple(sorted({*instrument.languages, *own}))
        if not available:
            continue
        closest = closest_language(language, available)
        texts[instrument.id] = (
            _read(instrument, own[closest]) if closest in own else load_text(instrument, closest)
        )
    return texts


def text_languages(campaign: Campaign) -> dict[str, tuple[str, ...]]:
    """The languages in which each instrument of the catalogue can be asked in the campaign."""
    supplied = _supplied_texts(campaign)
    return {
        name: tuple(sorted({*load_instrument(name).languages, *supplied.get(name, {})}))
        for name in available_instruments()
    }


def supply_text(
    campaign: Campaign, content: bytes, *, attests: bool, user: User, now: datetime
) -> SuppliedText:
    """Keeps a questionnaire's words for this campaign, with who vouched for the right to use them and when.

    Raises TextRefused without that word, for a language already asked in an opened campaign, and for a
    file too large; InstrumentError names the key at fault in the file.
    """
    if not attests:
        raise TextRefused(_("Please confirm that you may use these words."))
    if len(content) > MAX_TEXT_BYTES:
        raise TextRefused(_("The file is larger than a questionnaire can be."))
    heading = parse_toml(content, "text")
    instrument, language = load_instrument(heading.text("instrument")), heading.text("language")
    if len(language) > 16 or not LANGUAGE.fullmatch(language):
        raise TextRefused(_('"%(code)s" is no language code.') % {"code": language[:20]})
    text = read_text(instrument, language, content, f"{instrument.id}/text.{language}.toml")
    if not campaign.is_draft and language in _supplied_texts(campaign).get(instrument.id, {}):
        raise TextRefused(_("People have been asked in these words; they can no longer be replaced."))
    return SuppliedText.objects.create(
        campaign=campaign,
        instrument=instrument.id,
        version=instrument.version,
        language=language,
        content=content.decode(),
        sha256=text.sha256,
        attestation=str(ATTESTATION),
        attested_by=user,
        attested_at=now,
    )


def language_info(code: str) -> dict[str, Any]:
    """What is known of a language, under the keys of Django's list; empty where nothing is.

    >>> language_info("de-AT")["name"], language_info("zh")["name"], language_info("tlh")
    ('German', 'Simplified Chinese', {})
    """
    for known in (code, code.split("-")[0], f"{code}-hans"):
        if known in LANG_INFO and "name" in LANG_INFO[known]:
            return LANG_INFO[known]
    return {}


def missing_instruments(campaign: Campaign) -> list[str]:
    """What keeps the campaign from opening: questionnaires unknown or without words, strata not asked for."""
    unknown = [name for name in campaign.instruments if name not in available_instruments()]
    if unknown:
        return [_("There is no questionnaire %(name)s.") % {"name": name} for name in unknown]
    languages = text_languages(campaign)
    missing = [
        _("The questionnaire %(name)s has no words yet: supply a text that you may use.") % {"name": name}
        for name in campaign.instruments
        if not languages[name]
    ]
    known = {name for one in available_instruments() for name in _columns(load_instrument(one))}
    asked = {name for instrument in campaign_instruments(campaign) for name in _columns(instrument)}
    needed = {str(entry.get("attribute")) for entry in campaign.strata if isinstance(entry, dict)}
    missing += [
        _("The jury is made of %(name)s, which no chosen questionnaire asks for.") % {"name": name}
        for name in sorted(needed & (known - asked))
    ]
    return missing


def _columns(instrument: Instrument) -> set[str]:
    """What strata can be made of: the attributes it gives, and its scores."""
    return {*instrument.attributes, *(f"score_{score.id}" for score in instrument.scores)}


def _supplied_texts(campaign: Campaign) -> dict[str, dict[str, SuppliedText]]:
    """The latest text by instrument and language, of the instrument's present version."""
    texts: dict[str, dict[str, SuppliedText]] = {}
    for text in campaign.supplied_texts.order_by("pk"):
        known = text.instrument in available_instruments()
        if known and text.version == load_instrument(text.instrument).version:
            texts.setdefault(text.instrument, {})[text.language] = text
    return texts


def _read(instrument: Instrument, supplied: SuppliedText) -> InstrumentText:
    name = f"{instrument.id}/text.{supplied.language}.toml"
    return read_text(instrument, supplied.language, supplied.content.encode(), name)
