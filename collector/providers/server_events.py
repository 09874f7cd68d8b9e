"""Server-sent events, as OpenAI-compatible servers stream their answers."""

from collections.abc import Iterable, Iterator

# No event of an honest server is longer; what has no end would be kept until one came.
LONGEST_EVENT = 256 * 1024


class BrokenEvents(Exception):
    """What came is no stream of events."""


def read_events(pieces: Iterable[bytes]) -> Iterator[str]:
    r"""The data of each event, however the bytes were cut; raises BrokenEvents.

    Comments and other fields are left out. An event that the end cut off is none.

    >>> list(read_events([b": ping\n\ndata: o", b"ne\r\n\r\nevent: x\ndata: 1\ndata: 2\n\ndata: cut"]))
    ['one', '1\n2']
    """
    data: list[str] = []
    size = 0
    for line in _lines(pieces):
        size += len(line)
        if size > LONGEST_EVENT:
            raise BrokenEvents(f"an event is longer than {LONGEST_EVENT} bytes")
        name, _colon, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        if not line:
            if data:
                yield "\n".join(data)
            data, size = [], 0


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines without their ends, which are LF or CRLF."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        *lines, tail = rest.split(b"\n")
        for line in lines:
            yield bytes(line).removesuffix(b"\r")
        rest = bytearray(tail)
        if len(rest) > LONGEST_EVENT:
            raise BrokenEvents(f"a line is longer than {LONGEST_EVENT} bytes")
