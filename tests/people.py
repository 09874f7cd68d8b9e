"""People who use the annotator's pages as a browser without JavaScript would."""

import re
from typing import Any, Self

from django.test import Client

from annotations.models import Annotator, Scope
from collector.models import Campaign


class Person:
    """One person with their own browser; every step returns the person, `text` is the page they see."""

    def __init__(self, campaign: Campaign, **headers: Any) -> None:
        self.campaign = campaign
        self.client = Client(headers=headers)
        self.response: Any = None

    @property
    def text(self) -> str:
        return self.response.content.decode()

    @property
    def annotator(self) -> Annotator:
        return Annotator.objects.get(pk=self.client.session["annotators"][self.campaign.slug])

    @property
    def is_rating(self) -> bool:
        return 'id="ballot"' in self.text

    @property
    def nonce(self) -> str:
        return re.search(r'name="form_nonce" value="([^"]+)"', self.text)[1]

    def join(self, **query: str) -> Self:
        self.response = self.client.get(f"/join/{self.campaign.slug}/", query, follow=True)
        return self

    def agree(self, scopes: list[str] | None = None) -> Self:
        return self._post("consent/", {"scope": list(Scope) if scopes is None else scopes, "agree": "1"})

    def profile(self, answers: dict[str, Any]) -> Self:
        return self._post("profile/", answers | {"continue": "1"})

    def skip_profile(self) -> Self:
        return self._post("profile/", {"skip": "all"})

    def ballot(self, **values: float) -> dict[str, Any]:
        """The form as it is on the page, every candidate rated alike."""
        fields = re.findall(r'name="(r-\d+-([\w-]+))"', self.text)
        return {"form_nonce": self.nonce} | {field: str(values[name]) for field, name in fields}

    def rate(self, **values: float) -> Self:
        return self.send(self.ballot(**values))

    def send(self, form: dict[str, Any]) -> Self:
        return self._post("rate/send/", form)

    def skip(self) -> Self:
        return self._post("rate/skip/", {"form_nonce": self.nonce})

    def withdraw(self) -> Self:
        return self._post("withdraw/", {"confirm": "1"})

    def get(self, path: str) -> Self:
        self.response = self.client.get(f"/c/{self.campaign.slug}/{path}", follow=True)
        return self

    def _post(self, path: str, data: dict[str, Any]) -> Self:
        self.response = self.client.post(f"/c/{self.campaign.slug}/{path}", data, follow=True)
        return self
