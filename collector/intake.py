"""Prompts from CSV, JSONL, JSON and Parquet: all rows or none, every fault named by its place."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.db import IntegrityError, models, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from collector.lifecycle import WrongState
from collector.models import Campaign, Criterion, Prompt
from collector.practice_intake import PRACTICE_COLUMNS, read_practice
from collector.tabular import IntakeError, Problem, Problems, Row, parse_json, read_rows

TAKES_ROWS = (Campaign.State.DRAFT, Campaign.State.OPEN)
ROLES = ("system", "user", "assistant")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
PROMPT_COLUMNS = (
    *("prompt_id", "text", "messages", "language", "topic", "source", "licence"),
    *PRACTICE_COLUMNS,
)
BATCH = 500


class Intake(NamedTuple):
    """What was stored, or would have been: how many rows, and of what languages, topics or generators."""

    rows: int
    counts: dict[str, Counter[str]]
    is_dry_run: bool


class Reader:
    """Reads one file's rows into values, noting what is wrong with them."""

    def __init__(self, source: Path | BinaryIO, name: str | None, columns: tuple[str, ...]) -> None:
        self.source = source
        self.file = name or (source.name if isinstance(source, Path) else "file")
        self.columns = columns
        self.problems = Problems()
        self._reported: set[str] = set()

    def rows(self) -> Iterator[Row]:
        for row in read_rows(self.source, self.file, problems=self.problems):
            self._report_unknown(row)
            yield row

    def fault(self, row: Row, column: str | None, message: str) -> None:
        self.problems.add(row.file, row.line, column, message)

    def text(self, row: Row, column: str, *, longest: int, required: bool = False) -> str:
        """The cell stripped; "" where it is absent, empty or faulty."""
        value = row.values.get(column)
        value = "" if value is None else value
        if not isinstance(value, str):
            self.fault(row, column, _("is not text"))
            return ""
        value = value.strip()
        if required and not value:
            self.fault(row, column, _("is empty") if column in row.values else _("is missing"))
        if len(value) > longest:
            self.fault(row, column, _("is longer than %(most)s characters") % {"most": longest})
        return value

    def number(self, row: Row, column: str, kind: type[int] | type[float]) -> Any:
        """The cell as a number that is not negative; None where it is absent, empty or faulty."""
        value = row.values.get(column)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, bool) or (kind is int and float(value) != int(float(value))):
                raise ValueError
            number = kind(float(value)) if kind is int else float(value)
        except (TypeError, ValueError, OverflowError):
            said = _("is not a whole number") if kind is int else _("is not a number")
            self.fault(row, column, said)
            return None
        if not 0 <= number < 2**63:
            self.fault(row, column, _("is out of range"))
            return None
        return number

    def x_columns(self, row: Row) -> dict[str, Any]:
        return {key: value for key, value in row.values.items() if key.startswith("x_")}

    def _report_unknown(self, row: Row) -> None:
        """Each unknown column once, not once a row."""
        for column in row.values:
            if column in self.columns or column.startswith("x_") or column in self._reported:
                continue
            self._reported.add(column)
            self.fault(
                row, column, _('is no known column; name it "x_%(column)s" to keep it') % {"column": column}
            )


def load_prompts(
    campaign: Campaign, source: Path | BinaryIO, name: str | None = None, *, dry_run: bool = False
) -> Intake:
    """Add the file's prompts to a draft or open campaign; rows without a prompt_id column are numbered.

    Raises IntakeError, or WrongState, and then nothing is stored.
    """
    refuse_state(campaign)
    reader = Reader(source, name, PROMPT_COLUMNS)
    taken = set(campaign.prompts.values_list("external_id", flat=True))
    seen: dict[str, int] = {}
    prompts = []
    criteria = {criterion.name: criterion for criterion in campaign.criteria.filter(kind__in=Criterion.RATED)}
    for row in reader.rows():
        prompt = _read_prompt(reader, row, campaign, criteria)
        prompt.external_id = prompt.external_id or _next_id(taken, seen)
        refuse_double(reader, row, "prompt_id", prompt.external_id, seen, taken)
        prompts.append(prompt)
    refuse_empty(reader, prompts)
    if not dry_run:
        store(campaign, reader.file, "prompt_id", lambda: _insert_prompts(campaign, prompts))
    counts = {
        "language": Counter(prompt.language for prompt in prompts),
        "topic": Counter(prompt.topic for prompt in prompts if prompt.topic),
    }
    return Intake(len(prompts), counts, dry_run)


def refuse_state(campaign: Campaign) -> None:
    if campaign.state not in TAKES_ROWS:
        raise WrongState(
            _("This campaign is %(state)s: rows can be added only to one that is a draft or open.")
            % {"state": campaign.get_state_display()}
        )


def refuse_double(
    reader: Reader, row: Row, column: str, identifier: str, seen: dict[str, int], taken: set[str]
) -> None:
    if not identifier:
        return
    if identifier in seen:
        said = {"id": identifier, "line": seen[identifier]}
        reader.fault(row, column, _('"%(id)s" stands in line %(line)s already') % said)
    elif identifier in taken:
        reader.fault(row, column, _('"%(id)s" is in the campaign already') % {"id": identifier})
    seen.setdefault(identifier, row.line)


def refuse_empty(reader: Reader, rows: list[Any]) -> None:
    """Raises what the reader found, and also a file that has a header and nothing under it."""
    reader.problems.raise_if_any()
    if not rows:
        raise IntakeError([Problem(reader.file, None, None, _("there are no rows"))])


def store(campaign: Campaign, file: str, column: str, insert: Callable[[], None]) -> None:
    """Run `insert` in one transaction, unless the campaign was closed or the ids taken in the meantime."""
    try:
        with transaction.atomic():
            refuse_state(Campaign.objects.select_for_update().get(pk=campaign.pk))
            insert()
    except IntegrityError as error:
        said = _("was added by somebody else just now; try again")
        raise IntakeError([Problem(file, None, column, said)]) from error


def last_position(rows: models.QuerySet[Prompt]) -> int:
    return rows.aggregate(last=Max("position"))["last"] or 0


def _insert_prompts(campaign: Campaign, prompts: list[Prompt]) -> None:
    first = last_position(campaign.prompts.all()) + 1
    for position, prompt in enumerate(prompts, first):
        prompt.position = position
    Prompt.objects.bulk_create(prompts, batch_size=BATCH)


def _read_prompt(reader: Reader, row: Row, campaign: Campaign, criteria: Mapping[str, Criterion]) -> Prompt:
    messages = _read_messages(reader, row)
    text = reader.text(row, "text", longest=2**16, required=messages is None)
    if messages and text:
        reader.fault(row, "messages", _('and "text" are both given; leave one empty'))
    return Prompt(
        campaign=campaign,
        external_id=reader.text(row, "prompt_id", longest=200, required="prompt_id" in row.values),
        text=text,
        messages=messages or None,
        language=_read_language(reader, row, campaign),
        topic=reader.text(row, "topic", longest=100),
        source=reader.text(row, "source", longest=200),
        licence=reader.text(row, "licence", longest=64),
        **read_practice(reader, row, criteria),
        extra=reader.x_columns(row),
    )


def _read_language(reader: Reader, row: Row, campaign: Campaign) -> str:
    """The prompt's language, by default the campaign's first; one nobody can be asked in is refused."""
    language = reader.text(row, "language", longest=16) or next(iter(campaign.languages), "en")
    if not LANGUAGE.fullmatch(language):
        reader.fault(row, "language", _('"%(code)s" is no language code') % {"code": language[:20]})
    elif campaign.languages and language not in campaign.languages:
        said = {"code": language, "known": ", ".join(campaign.languages)}
        reader.fault(row, "language", _('"%(code)s" is none of the campaign\'s languages: %(known)s') % said)
    return language


def _read_messages(reader: Reader, row: Row) -> list[dict[str, str]] | None:
    """The conversation, [] where it is faulty, None where there is none."""
    value = row.values.get("messages")
    if value in (None, "", []):
        return None
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError as error:
            reader.fault(row, "messages", str(error))
            return []
    fault = _fault_of_messages(value)
    if fault:
        reader.fault(row, "messages", fault)
        return []
    return [{"role": message["role"], "content": message["content"]} for message in value]


def _fault_of_messages(value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(message, dict) for message in value) or not value:
        return _("is not a list of {role, content}")
    for number, message in enumerate(value, 1):
        if set(message) != {"role", "content"} or message["role"] not in ROLES:
            return _("has no role and content that can be read in message %(number)s") % {"number": number}
        if not isinstance(message["content"], str) or not message["content"].strip():
            return _("has no content in message %(number)s") % {"number": number}
    return None if value[-1]["role"] == "user" else _("does not end with the user's turn")


def _next_id(taken: set[str], seen: dict[str, int]) -> str:
    number = len(taken) + len(seen) + 1
    while (identifier := f"p{number:04}") in taken or identifier in seen:
        number += 1
    return identifier
