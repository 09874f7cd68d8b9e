"""k and l of rows by comparing everybody with everybody: slow, and independent of the code under test."""


def brute_k(rows, columns):
    """The fewest people who look like somebody."""
    return min((sum(all(a[c] == b[c] for c in columns) for b in rows) for a in rows), default=None)


def brute_l(rows, columns, sensitive, repeats):
    """The fewest sensitive values among those who look like somebody who has one."""
    others = [c for c in columns if c != sensitive and c not in repeats]
    found = [
        len({b[sensitive] for b in rows if all(a[c] == b[c] for c in others)} - {None})
        for a in rows
        if a[sensitive] is not None
    ]
    return min(found, default=None)
