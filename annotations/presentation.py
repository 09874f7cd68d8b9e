"""In which order the candidates of one prompt stand on the page, balanced over the prompt's jury."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def next_order(items: Sequence[Item], shown: Iterable[Sequence[Item]]) -> list[Item]:
    """The order for the next juror, after the orders `shown` to the others.

    Of a Williams design's rows the one that leaves the counts of item and place most even. While nobody
    leaves, each item stands in each place equally often, give or take one; and once every row was shown, each
    item follows each other item equally often. Source: Williams (1949), Aust. J. Sci. Res. A 2, 149-168.

    >>> ["".join(next_order("abc", said)) for said in ([], ["abc"], ["abc", "bca", "cab"])]
    ['abc', 'bca', 'cba']
    """
    orders = list(shown)
    counts = Counter((item, place) for order in orders for place, item in enumerate(order))
    turn = len(orders) // (len(items) or 1)

    def unevenness(row: tuple[int, list[Item]]) -> tuple[int, bool]:
        family, order = row
        return sum(counts[item, place] for place, item in enumerate(order)), family != turn % 2

    rows = [
        (family, [items[index] for index in row])
        for family, rows in enumerate(_williams(len(items)))
        for row in rows
    ]
    return min(rows, key=unevenness, default=(0, []))[1]


def _williams(size: int) -> list[list[list[int]]]:
    """Latin squares in whose rows each number follows each other: one of an even size, two of an odd one.

    The first row zigzags, 0 1 n-1 2 n-2 ..., and every next one is one higher, modulo n.
    """
    zigzag = [(place + 1) // 2 if place % 2 else -place // 2 % (size or 1) for place in range(size)]
    square = [[(start + step) % size for step in zigzag] for start in range(size)]
    return [square] if size % 2 == 0 else [square, [row[::-1] for row in square]]
