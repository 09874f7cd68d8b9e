"""Closed panels: a pool of volunteers from a file, a panel drawn by lot, an invitation for each member.

Who volunteered stays with the manager: here are only keyed hashes, attributes, and everybody's chance.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from django.db import transaction
from django.utils.translation import gettext as _

from annotations.invitations import MOST, hash_code, make_invitations
from annotations.jury import place_annotator
from annotations.models import Annotator, InvitationCode, Volunteer
from annotations.platform_ids import hash_identity
from annotations.sortition import PanelQuota, draw_panel, proportional_quotas
from collector.models import Campaign
from collector.tabular import Problems, Row, read_rows

ID = "volunteer_id"
QUOTA_COLUMNS = ("attribute", "level", "minimum", "maximum")
LONGEST = 200
MOST_VOLUNTEERS = 50_000


class AlreadyDrawn(Exception):
    """The campaign has a panel, and somebody has used its invitation."""


class Pool(NamedTuple):
    ids: list[str]
    attributes: list[dict[str, str]]  # by column, all alike
    lines: list[int]


class Member(NamedTuple):
    """A volunteer who was drawn, as the manager needs to know them; the code exists only now."""

    volunteer_id: str
    code: str
    selection_probability: float

    @property
    def weight(self) -> float:
        """How many of the pool each member stands for (Horvitz and Thompson 1952)."""
        return 1 / self.selection_probability


def read_pool(source: Path | BinaryIO, name: str | None = None) -> Pool:
    """A file of volunteers: `volunteer_id`, and a column for each attribute. Raises IntakeError."""
    problems, file = Problems(), name or (source.name if isinstance(source, Path) else "pool")
    pool = Pool([], [], [])
    seen: set[str] = set()
    for row in read_rows(source, name, problems=problems):
        cells = {column: str(value or "").strip() for column, value in row.values.items()}
        if fault := _fault_of(cells, seen):
            problems.add(row.file, row.line, *fault)
            continue
        seen.add(cells[ID])
        pool.ids.append(cells.pop(ID))
        pool.attributes.append(cells)
        pool.lines.append(row.line)
    if not pool.ids and not problems.total:
        problems.add(file, None, None, _("has no rows"))
    if len(pool.ids) > MOST_VOLUNTEERS:
        problems.add(
            Path(file).name, None, None, _("has more than %(most)d rows") % {"most": MOST_VOLUNTEERS}
        )
    problems.raise_if_any()
    return pool


def read_quotas(source: Path | BinaryIO, name: str | None = None) -> list[PanelQuota]:
    """A file of quotas: attribute, level, minimum, maximum. Raises IntakeError."""
    problems = Problems()
    quotas = [
        quota for row in read_rows(source, name, problems=problems) if (quota := _read_quota(row, problems))
    ]
    problems.raise_if_any()
    return quotas


def draw_for(
    campaign: Campaign,
    pool: Pool,
    size: int,
    *,
    quotas: Sequence[PanelQuota] = (),
    proportional: Sequence[str] = (),
    name: str = "pool",
) -> list[Member]:
    """Draws the campaign's panel and keeps everybody's chance; whoever is drawn gets an invitation.

    Attributes named `proportional` are on the panel as they are in the pool. The campaign's seed decides the
    lot, so drawing again from the same pool changes nothing but the codes; an earlier panel's are void then.
    Raises IntakeError for a pool that lacks an attribute, AlreadyDrawn, QuotasClash, or ValueError for a
    size that the pool or a list of invitations cannot have.
    """
    if size > MOST:
        raise ValueError(f"a panel has at most {MOST} members")
    _check_attributes(pool, {*proportional, *(quota.attribute for quota in quotas)}, name)
    wanted = [*quotas, *proportional_quotas(pool.attributes, proportional, size)]
    panel = draw_panel(pool.attributes, size, wanted, seed=f"{campaign.seed}/panel")
    with transaction.atomic():
        _forget_earlier(campaign)
        invitations = make_invitations(
            campaign, [f"panel, line {pool.lines[member]}" for member in panel.members]
        )
        codes = dict(zip(panel.members, (one.code for one in invitations), strict=True))
        _store(campaign, pool, panel.probabilities, codes)
    return [Member(pool.ids[member], code, panel.probabilities[member]) for member, code in codes.items()]


def take_panel_seat(annotator: Annotator) -> None:
    """Gives whoever came by a panel's invitation the weight of their draw, and the stratum the pool names."""
    volunteer = Volunteer.objects.filter(invitation__annotator=annotator).first()
    if volunteer is None:
        return
    annotator.weight = 1 / volunteer.selection_probability
    annotator.save(update_fields=["weight"])
    place_annotator(annotator, volunteer.attributes)


def write_panel(members: Sequence[Member], address: str, file: TextIO) -> None:
    """The list as CSV, for whoever invites; `address` is the campaign's join link."""
    writer = csv.writer(file)
    writer.writerow([ID, "code", "link", "selection_probability", "weight"])
    writer.writerows(
        [one.volunteer_id, one.code, f"{address}?code={one.code}", one.selection_probability, one.weight]
        for one in members
    )


def _store(campaign: Campaign, pool: Pool, probabilities: Sequence[float], codes: dict[int, str]) -> None:
    stored = InvitationCode.objects.filter(campaign=campaign, annotator=None)
    invitations = dict(stored.values_list("code_hash", "pk"))
    Volunteer.objects.bulk_create(
        [
            Volunteer(
                campaign=campaign,
                id_hash=hash_identity(campaign, volunteer),
                attributes=pool.attributes[index],
                selection_probability=probabilities[index],
                invitation_id=invitations[hash_code(codes[index].replace("-", ""))]
                if index in codes
                else None,
            )
            for index, volunteer in enumerate(pool.ids)
        ],
        batch_size=500,
    )


def _fault_of(cells: dict[str, str], seen: set[str]) -> tuple[str, str] | None:
    """(column, what is wrong with it), or None."""
    if not cells.get(ID):
        return ID, _("is empty") if ID in cells else _("is missing")
    if cells[ID] in seen:
        return ID, _("is there twice")
    for column, value in cells.items():
        if len(value) > LONGEST:
            return column, _("is longer than %(most)s characters") % {"most": LONGEST}
    return None


def _read_quota(row: Row, problems: Problems) -> PanelQuota | None:
    cells = {column: str(value if value is not None else "").strip() for column, value in row.values.items()}
    for column in QUOTA_COLUMNS:
        if not cells.get(column):
            problems.add(row.file, row.line, column, _("is empty") if column in cells else _("is missing"))
            return None
    minimum, maximum = cells["minimum"], cells["maximum"]
    for column, number in (("minimum", minimum), ("maximum", maximum)):
        if not (number.isascii() and number.isdigit() and len(number) < 7):
            problems.add(row.file, row.line, column, _("is not a whole number"))
            return None
    if int(minimum) > int(maximum):
        problems.add(row.file, row.line, "maximum", _("is below the minimum"))
        return None
    return PanelQuota(cells["attribute"], cells["level"], int(minimum), int(maximum))


def _check_attributes(pool: Pool, wanted: set[str], name: str) -> None:
    problems = Problems()
    for attribute in sorted(wanted):
        for line, cells in zip(pool.lines, pool.attributes, strict=True):
            if not cells.get(attribute):
                said = _("is empty") if attribute in cells else _("is missing")
                problems.add(name, line, attribute, said)
    problems.raise_if_any()


def _forget_earlier(campaign: Campaign) -> None:
    """Takes back the codes of an earlier draw, unless somebody came by one."""
    drawn = InvitationCode.objects.filter(volunteer__campaign=campaign)
    if drawn.exclude(used_at=None).exists():
        raise AlreadyDrawn
    codes = list(drawn.values_list("pk", flat=True))
    Volunteer.objects.filter(campaign=campaign).delete()
    InvitationCode.objects.filter(pk__in=codes).delete()
