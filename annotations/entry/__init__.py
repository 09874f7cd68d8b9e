"""The ways into a campaign; each campaign says which of them it allows."""

from annotations.entry.account import Account
from annotations.entry.base import BadEntry, Entry, Knock, Way
from annotations.entry.invitation import Invitation
from annotations.entry.mturk import MechanicalTurk
from annotations.entry.open_link import OpenLink
from annotations.entry.panel import Panel, make_token
from annotations.entry.prolific import Prolific

# The first that knows an address reads it; the open link knows every one.
WAYS: dict[str, Way] = {
    way.source: way for way in (Invitation(), Panel(), Prolific(), MechanicalTurk(), Account(), OpenLink())
}
__all__ = ["WAYS", "BadEntry", "Entry", "Knock", "Way", "make_token", "read_entry"]


def read_entry(knock: Knock) -> Entry:
    """The entry an address stands for; raises BadEntry for one that does not hold or is not allowed."""
    way = next(way for way in WAYS.values() if way.knows(knock.query))
    if way.source not in knock.rules.ways:
        raise BadEntry("ways")
    return way.read(knock)
