"""Local accounts: `?account`, for who is signed in here and wants to come back from any device."""

from collections.abc import Mapping

from annotations.entry.base import BadEntry, Entry, Knock, Way, identify
from annotations.models import Annotator
from annotations.platform_ids import PlatformId


class Account(Way):
    source = Annotator.Source.ACCOUNT

    def knows(self, query: Mapping[str, str]) -> bool:
        return "account" in query

    def read(self, knock: Knock) -> Entry:
        if knock.account is None:
            raise BadEntry("sign_in")
        return identify(knock, self.source, PlatformId(f"account {knock.account}"), is_verified=True)
