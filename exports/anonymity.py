"""k-anonymity and l-diversity of rows of people: coarsen levels, then suppress cells, always in the same way.

Rows that agree in all quasi-identifiers make a class; an empty cell is a value like any other.
k: people in the smallest class (Sweeney 2002). l: fewest values of a sensitive column in a class of all the
other quasi-identifiers (distinct l-diversity, Machanavajjhala et al. 2007); classes without any do not count.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

OTHER = "other"
# Up to this share of the people cells are suppressed rather than a column coarsened for everybody.
MAY_SUPPRESS = 0.05
Row = dict[str, Any]
Key = tuple[Any, ...]
Rung = Callable[[Any], Any]


@dataclass(frozen=True)
class Rules:
    """What has to hold of some columns, and what may be done about it.

    `coarser` names a column's rungs from fine to coarse. `joined` names the columns that a column joins, as a
    stratum does: it is coarsened with them, and emptied with any of them.
    """

    k: int
    diversity: int
    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    coarser: Mapping[str, Sequence[Rung]] = field(default_factory=dict)
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    join: str = " / "


class Anonymised(NamedTuple):
    """Rows under the rules, in the order given; `is_met` is False where even empty cells are not enough."""

    rows: list[Row]
    is_met: bool


def anonymise(people: Sequence[Mapping[str, Any]], rules: Rules) -> Anonymised:
    """The rows with as much emptied or coarsened as the rules need; rows that comply come back unchanged."""
    work = _Work(people, rules)
    work.coarsen()
    work.suppress()
    work.diversify()
    smallest = smallest_class(work.rows, rules.quasi_identifiers)
    fewest = fewest_values(work.rows, rules)
    is_met = (smallest is None or smallest >= rules.k) and (fewest is None or fewest >= rules.diversity)
    return Anonymised(work.rows, is_met)


def smallest_class(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int | None:
    """People in the smallest class; None without people.

    >>> smallest_class([{"a": 1}, {"a": 1}, {"a": None}], ["a"])
    1
    """
    return min(Counter(_key(row, columns) for row in rows).values(), default=None)


def fewest_values(rows: Sequence[Mapping[str, Any]], rules: Rules) -> int | None:
    """The l of the rows; None where no sensitive column has a value.

    >>> rules = Rules(2, 2, ("a", "s"), ("s",))
    >>> fewest_values([{"a": 1, "s": "x"}, {"a": 1, "s": "y"}, {"a": 2, "s": None}], rules)
    2
    """
    found = [len(values) for column in rules.sensitive for values, _rows in _groups(rows, column, rules)]
    return min((number for number in found if number), default=None)


class _Work:
    """Rows on their way to complying."""

    def __init__(self, people: Sequence[Mapping[str, Any]], rules: Rules) -> None:
        self.rules = rules
        self.columns = rules.quasi_identifiers
        self.given = [{column: person.get(column) for column in self.columns} for person in people]
        self.rows = [dict(row) for row in self.given]
        self.rungs = {column: list(rules.coarser.get(column, ())) for column in self.columns}

    def coarsen(self) -> None:
        """Climb one rung after another, each the one that leaves fewest people in small classes."""
        while len(self._small(self.rows)) > MAY_SUPPRESS * len(self.rows):
            moves = [move for column in self.columns if (move := self._next_move(column))]
            if not moves:
                return
            _left, _cost, _at, column, self.rows = min(moves, key=lambda move: move[:3])
            self.rungs[column] = self.rungs[column][1:]

    def suppress(self) -> None:
        """Empty cells of people in small classes; where nobody is like them, of some others too."""
        while small := self._small(self.rows):
            filled = [name for name in self.columns if any(self.rows[at][name] is not None for at in small)]
            if filled:
                moves = [self._emptied(small, column) for column in filled]
                self.rows = min(moves, key=lambda move: move[:2])[2]
            elif not self._hide_among_others(self.rules.k - len(small)):
                return

    def diversify(self) -> None:
        """Empty a sensitive column in the classes where everybody who answered said the same."""
        is_stable = False
        while not is_stable:
            is_stable = True
            for column in self.rules.sensitive:
                for values, members in _groups(self.rows, column, self.rules):
                    if 0 < len(values) < self.rules.diversity:
                        self.rows = self._emptied(members, column)[2]
                        is_stable = False

    def _small(self, rows: Sequence[Row]) -> list[int]:
        """Which rows are in classes of fewer than k."""
        keys = [_key(row, self.columns) for row in rows]
        sizes = Counter(keys)
        return [at for at, key in enumerate(keys) if sizes[key] < self.rules.k]

    def _next_move(self, column: str) -> tuple[int, int, int, str, list[Row]] | None:
        """The column one rung up: people left in small classes, cells it costs, and the rows."""
        while True:
            if self.rungs[column]:
                rung = self.rungs[column][0]
                values = [None if row[column] is None else rung(row[column]) for row in self.rows]
            else:
                values = self._merge_rare(column)
            cost = sum(row[column] != value for row, value in zip(self.rows, values, strict=True))
            if cost:
                rows = [self._with(at, column, value) for at, value in enumerate(values)]
                return len(self._small(rows)), cost, self.columns.index(column), column, rows
            if not self.rungs[column]:
                return None
            self.rungs[column] = self.rungs[column][1:]

    def _merge_rare(self, column: str) -> list[Any]:
        """Levels of fewer than k people become "other"; columns of numbers and joined ones stay."""
        values = [row[column] for row in self.rows]
        is_text = all(isinstance(value, str) for value in values if value is not None)
        if not is_text or column in self.rules.joined:
            return values
        sizes = Counter(values)
        return [OTHER if value is not None and sizes[value] < self.rules.k else value for value in values]

    def _emptied(self, members: Sequence[int], column: str) -> tuple[int, int, list[Row]]:
        """The rows with the members' cells empty: people left in small classes, cells it costs, the rows."""
        cost = sum(self.rows[at][column] is not None for at in members)
        rows = list(self.rows)
        for at in members:
            rows[at] = self._with(at, column, None)
        return len(self._small(rows)), cost, rows

    def _hide_among_others(self, needed: int) -> bool:
        """Empty all cells of `needed` people of a class that can spare them, else of the smallest class."""
        classes: dict[Key, list[int]] = defaultdict(list)
        for at, row in enumerate(self.rows):
            classes[_key(row, self.columns)].append(at)
        classes.pop((None,) * len(self.columns), None)
        if not classes:
            return False
        ordered = sorted(classes.items(), key=lambda entry: (len(entry[1]), repr(entry[0])))
        spared = [members for _key, members in ordered if len(members) >= self.rules.k + needed]
        chosen = spared[0][:needed] if spared else ordered[0][1]
        for at in chosen:
            self.rows[at] = dict.fromkeys(self.columns)
        return True

    def _with(self, at: int, column: str, value: Any) -> Row:
        """The row with another value, and what joins it as coarse as it is now."""
        row = self.rows[at] | {column: value}
        for name, parts in self.rules.joined.items():
            if column in parts and row.get(name) is not None:
                row[name] = self._join(at, row, name, parts)
        return row

    def _join(self, at: int, row: Row, name: str, parts: Sequence[str]) -> Any:
        if any(self.given[at][part] is not None and row[part] is None for part in parts):
            return None
        was_joined = self.given[at][name] == self.rules.join.join(str(self.given[at][part]) for part in parts)
        # Another label, such as that of a seat for anyone, stays: it is a quasi-identifier like any other.
        return self.rules.join.join(str(row[part]) for part in parts) if was_joined else row[name]


def _groups(
    rows: Sequence[Mapping[str, Any]], column: str, rules: Rules
) -> Iterator[tuple[set[Any], list[int]]]:
    """(values of the column, rows) of each class of the other quasi-identifiers that do not repeat it."""
    others = [
        name
        for name in rules.quasi_identifiers
        if name != column and column not in rules.joined.get(name, ())
    ]
    classes: dict[Key, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        classes[_key(row, others)].append(at)
    for members in classes.values():
        yield {_value(rows[at].get(column)) for at in members} - {None}, members


def _key(row: Mapping[str, Any], columns: Sequence[str]) -> Key:
    return tuple(_value(row.get(column)) for column in columns)


def _value(value: Any) -> Any:
    """What a released cell shows, comparable: 1 and 1.0 are the same number, True is none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False), "json"
