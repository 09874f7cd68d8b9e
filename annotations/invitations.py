"""Invitation codes: made here or brought along, given out as a list, kept only as hashes."""

import base64
import csv
import hashlib
import math
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO

from django.utils.translation import gettext as _

from annotations.models import InvitationCode
from collector.models import Campaign
from collector.spreadsheets import safe_cell

BITS = 128
MOST = 10_000
LONGEST_CODE = 200
LONGEST_REFERENCE = 100


class Invitation(NamedTuple):
    """A code in the clear, which exists only at the moment it is made."""

    code: str
    reference: str = ""


class BadCodes(Exception):
    """A list of codes that cannot be taken; `problems` name the lines."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def make_invitations(campaign: Campaign, references: Sequence[str]) -> list[Invitation]:
    """One new code for each reference (the manager's word for who is invited; may be empty).

    Codes are 128 random bits. They are returned this once; the database keeps their hashes.
    """
    if len(references) > MOST:
        raise ValueError(f"at most {MOST} at a time")
    made = [Invitation(make_code(), _tidy_reference(reference)) for reference in references]
    _store(campaign, made)
    return made


def take_invitations(campaign: Campaign, file: TextIO) -> int:
    """Takes codes made elsewhere, from a CSV with columns `code` and perhaps `reference`; returns how many.

    All of them or, with BadCodes, none: a code must be as hard to guess as ours, and new.
    """
    rows = csv.DictReader(file)
    if "code" not in (rows.fieldnames or []):
        raise BadCodes([_('The first line must name a column "code".')])
    brought = []
    for row in rows:
        brought.append(Invitation((row["code"] or "").strip(), _tidy_reference(row.get("reference") or "")))
        if len(brought) > MOST:
            raise BadCodes([_("At most %(most)s codes at a time.") % {"most": MOST}])
    if problems := list(_problems(brought)):
        raise BadCodes(problems[:20])
    _store(campaign, brought)
    return len(brought)


def find_invitation(campaign: Campaign, code: str) -> InvitationCode | None:
    """The campaign's invitation with this code, however its letters and hyphens were typed."""
    if not code or len(code) > LONGEST_CODE:
        return None
    hashes = [hash_code(code.strip()), hash_code(_tidy(code))]
    return InvitationCode.objects.filter(campaign=campaign, code_hash__in=hashes).first()


def make_code() -> str:
    """128 random bits as 26 letters and digits in groups that can be copied by hand."""
    letters = base64.b32encode(secrets.token_bytes(BITS // 8)).decode().rstrip("=")
    return "-".join(letters[start : start + 5] for start in range(0, len(letters), 5))


def hash_code(code: str) -> str:
    """Plain SHA-256: a code is random and long, so nobody can try them all."""
    return hashlib.sha256(f"invitation:{code}".encode()).hexdigest()


def write_invitations(invitations: Iterable[Invitation], address: str, file: TextIO) -> None:
    """The list as CSV: code, link, reference. `address` is the campaign's join link."""
    writer = csv.writer(file)
    writer.writerow(["code", "link", "reference"])
    writer.writerows(
        [one.code, f"{address}?code={one.code}", safe_cell(one.reference)] for one in invitations
    )


def _store(campaign: Campaign, invitations: Iterable[Invitation]) -> None:
    InvitationCode.objects.bulk_create(
        [
            InvitationCode(
                campaign=campaign, code_hash=hash_code(_kept_form(one.code)), reference=one.reference
            )
            for one in invitations
        ],
        batch_size=500,
    )


def _tidy_reference(reference: str) -> str:
    return reference.replace("\0", "").strip()[:LONGEST_REFERENCE]


def _problems(brought: Sequence[Invitation]) -> Iterator[str]:
    kept = [hash_code(_kept_form(one.code)) for one in brought]
    seen = set(_taken(kept))
    for line, (one, code_hash) in enumerate(zip(brought, kept, strict=True), start=2):
        if len(one.code) > LONGEST_CODE:
            yield _("Line %(line)s is too long.") % {"line": line}
        elif _guessing_bits(one.code) < BITS:
            yield _("Line %(line)s: the code is too easy to guess; use 128 random bits.") % {"line": line}
        elif code_hash in seen:
            yield _("Line %(line)s: the code is there already.") % {"line": line}
        seen.add(code_hash)


def _taken(hashes: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(hashes), 500):
        part = hashes[start : start + 500]
        yield from InvitationCode.objects.filter(code_hash__in=part).values_list("code_hash", flat=True)


def _guessing_bits(code: str) -> float:
    """At most this many: as if drawn letter by letter from the smallest usual alphabet that has them all."""
    if not code.isascii() or not code.isprintable():
        return 0
    letters = code.replace("-", "").replace("_", "")
    if len(set(letters)) < 6:
        return 0
    if letters.isdigit():
        size = 10
    elif all(letter in "0123456789abcdefABCDEF" for letter in letters):
        size = 16
    elif letters == letters.upper() or letters == letters.lower():
        size = 32
    else:
        size = 64
    return len(letters) * math.log2(size)


def _kept_form(code: str) -> str:
    """Codes in the shape of ours may be typed in any way; others are taken letter by letter."""
    tidy = _tidy(code)
    is_ours = len(tidy) == 26 and code == code.upper()
    return tidy if is_ours else code.strip()


def _tidy(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())
