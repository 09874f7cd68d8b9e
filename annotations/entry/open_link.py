"""The open link: whoever has it may come in, and nothing says who they are."""

from collections.abc import Mapping

from annotations.entry.base import Entry, Knock, Way
from annotations.models import Annotator


class OpenLink(Way):
    source = Annotator.Source.LINK
    resumes = False

    def knows(self, query: Mapping[str, str]) -> bool:
        return True

    def read(self, knock: Knock) -> Entry:
        return Entry()
