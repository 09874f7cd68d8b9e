"""Every exported column, declared once: name, type, meaning, unit; readers and writers of rows ask here."""

from dataclasses import dataclass

import pyarrow as pa
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SCHEMA_VERSION = 1
EXTRA_PREFIX = "x_"
SCORE_PREFIX = "score_"
SPLITS = ("train", "validation", "test")

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
TEXTS = pa.list_(pa.string())


@dataclass(frozen=True)
class Column:
    """One column of one table; `derived` ones are written by a release and ignored by the importer."""

    name: str
    type: pa.DataType
    meaning: str | Promise
    unit: str | Promise = ""
    required: bool = False
    derived: bool = False
    is_json: bool = False  # a JSON value kept as text
    is_raw: bool = False  # read only once its criterion is known

    def as_field(self) -> pa.Field:
        return pa.field(self.name, self.type, metadata={"description": str(self.meaning)})


@dataclass(frozen=True)
class Table:
    """One table of the interchange folder and of a release's `data/`."""

    name: str
    meaning: str | Promise
    columns: tuple[Column, ...]

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def schema(self, more: list[pa.Field] | None = None) -> pa.Schema:
        """The Arrow schema: the declared columns, then `more` (attributes, scores, x_ columns)."""
        return pa.schema([*(column.as_field() for column in self.columns), *(more or [])])


SPLIT = Column(
    "split", pa.string(), _("train, validation or test; the same for all of a prompt"), derived=True
)
STRATUM = Column("stratum", pa.string(), _("the annotator's cell of the jury"), derived=True)

CRITERIA = Table(
    "criteria",
    _("the questions asked of the rater about each candidate"),
    (
        Column("criterion", pa.string(), _("name of the criterion"), required=True),
        Column("question", pa.string(), _("the question as asked")),
        Column(
            "kind",
            pa.string(),
            _("likert, slider, binary, categorical, choice, ranking or text"),
            required=True,
        ),
        Column("scale_min", pa.float64(), _("lowest value of the scale")),
        Column("scale_max", pa.float64(), _("highest value of the scale")),
        Column("categories", TEXTS, _("labels of the categories, in order")),
        Column("ordered", pa.bool_(), _("whether the order of the categories means something")),
        Column("higher_is_better", pa.bool_(), _("whether a higher value is a better one")),
        Column("label_min", pa.string(), _("label at the low end of the scale")),
        Column("label_max", pa.string(), _("label at the high end of the scale")),
        Column("required", pa.bool_(), _("whether an answer was required")),
        Column("translations", pa.string(), _("the wording in other languages"), is_json=True),
    ),
)

PROMPTS = Table(
    "prompts",
    _("what was said to the models"),
    (
        Column("prompt_id", pa.string(), _("name of the prompt"), required=True),
        Column("text", pa.string(), _("the prompt as one text; empty where it is a conversation")),
        Column("messages", MESSAGES, _("the prompt as a conversation that awaits its next answer")),
        Column("language", pa.string(), _("language code")),
        Column("topic", pa.string(), _("what the prompt is about")),
        Column("source", pa.string(), _("where the prompt comes from")),
        Column("licence", pa.string(), _("licence of the prompt, an SPDX identifier")),
        SPLIT,
    ),
)

CANDIDATES = Table(
    "candidates",
    _("the responses that were rated"),
    (
        Column("candidate_id", pa.string(), _("name of the candidate"), required=True),
        Column("prompt_id", pa.string(), _("the prompt it answers"), required=True),
        Column("text", pa.string(), _("the response"), required=True),
        Column("generator", pa.string(), _("the generator (a model with its settings) it came from")),
        Column("sample_index", pa.int64(), _("which of the generator's samples for the prompt, from 0")),
        Column("steering", pa.string(), _("label of the steering it was generated under")),
        Column("temperature", pa.float64(), _("sampling temperature")),
        Column("seed", pa.int64(), _("seed of the sampling")),
        Column("provenance", pa.string(), _("how it was generated"), is_json=True),
        Column(
            "flags",
            TEXTS,
            _("what rules find in the text: self_identifying, refusal, cut_off; never a deletion"),
            derived=True,
        ),
        SPLIT,
    ),
)

ANNOTATORS = Table(
    "annotators",
    _("who judged: columns beyond these are attributes, and those named score_* value-profile scores"),
    (
        Column("annotator_id", pa.string(), _("id of the annotator in this release"), required=True),
        Column("stratum", pa.string(), _("cell of the jury")),
        Column("weight", pa.float64(), _("survey weight")),
        Column("flags", TEXTS, _("what is known of quality or origin, such as simulated; never a deletion")),
        Column(
            "profile_text",
            pa.string(),
            _("what the annotator wrote about their values, or a summary of it that they accepted"),
        ),
    ),
)

RATINGS = Table(
    "ratings",
    _("one annotator, one candidate, one criterion, one value"),
    (
        Column("annotator_id", pa.string(), _("who rated"), required=True),
        Column("candidate_id", pa.string(), _("what was rated"), required=True),
        Column("criterion", pa.string(), _("by which criterion"), required=True),
        Column(
            "value",
            pa.float64(),
            _("the number, or the position of the category, from 0"),
            required=True,
            is_raw=True,
        ),
        Column("label", pa.string(), _("the category's text")),
        Column(
            "missing",
            pa.string(),
            _("why there is no value: declined, not_applicable, not_asked, not_reached"),
        ),
        Column("position", pa.int64(), _("where the candidate stood on the page, from 1")),
        Column("seconds", pa.float64(), _("time spent on it, or on its whole page"), _("seconds")),
        Column("repeat_index", pa.int64(), _("0, or the how-many-eth marked repeat of the same question")),
        Column("submitted_on", pa.date32(), _("day of the answer"), _("date, UTC")),
        Column("surplus", pa.bool_(), _("a late answer for a seat that was given to another")),
        Column("prompt_id", pa.string(), _("the candidate's prompt")),
        Column(
            "utility", pa.float64(), _("value on the declared scale as 0..1, higher is better"), derived=True
        ),
        STRATUM,
        SPLIT,
    ),
)

CHOICES = Table(
    "choices",
    _("preferences between two candidates of a prompt"),
    (
        Column("annotator_id", pa.string(), _("who chose"), required=True),
        Column("prompt_id", pa.string(), _("the prompt of both candidates"), required=True),
        Column("criterion", pa.string(), _("by which criterion"), required=True),
        Column("chosen", pa.string(), _("the candidate preferred"), required=True),
        Column("rejected", pa.string(), _("the other candidate"), required=True),
        Column("strength", pa.float64(), _("how strongly, as given")),
        Column("tie", pa.bool_(), _("whether both were said to be equal")),
        Column("repeat_index", pa.int64(), _("0, or the how-many-eth marked repeat of the same question")),
        Column("submitted_on", pa.date32(), _("day of the answer"), _("date, UTC")),
        STRATUM,
        SPLIT,
    ),
)

TABLES = {table.name: table for table in (PROMPTS, CANDIDATES, CRITERIA, ANNOTATORS, RATINGS, CHOICES)}
