"""People who use a running Empanel over HTTP, as a browser without JavaScript would."""

import re
from html import unescape
from typing import Any, Self

import requests


class WebPerson:
    """One person with cookies of their own; `page` is what they see."""

    def __init__(self, address: str, slug: str) -> None:
        self.address, self.slug = address, slug
        self.http = requests.Session()
        self.page = ""
        self.path = ""

    @property
    def is_rating(self) -> bool:
        return 'id="ballot"' in self.page

    def get(self, path: str) -> Self:
        return self._see(self.http.get(self.address + path, timeout=60))

    def post(self, path: str, data: dict[str, Any]) -> Self:
        tokens = {
            name: unescape(found[1])
            for name in ("csrfmiddlewaretoken", "form_nonce")
            if (found := re.search(rf'name="{name}" value="([^"]+)"', self.page))
        }
        headers = {"Referer": self.address + self.path}
        return self._see(self.http.post(self.address + path, tokens | data, headers=headers, timeout=60))

    def enrol(self, profile: dict[str, str], scopes: list[str]) -> Self:
        self.get(f"/join/{self.slug}/")
        self.post(f"/c/{self.slug}/consent/", {"scope": scopes, "agree": "1"})
        return self.post(f"/c/{self.slug}/profile/", profile | {"continue": "1"})

    def rate(self, value_of: Any) -> Self:
        fields = set(re.findall(r'name="r-(\d+)-([\w-]+)"', self.page))
        answers = {f"r-{at}-{name}": f"{value_of(int(at), name):g}" for at, name in fields}
        return self.post(f"/c/{self.slug}/rate/send/", answers)

    def _see(self, response: requests.Response) -> Self:
        if response.status_code >= 400:
            raise AssertionError(f"{response.status_code} at {response.url}: {response.text[-2000:]}")
        self.page = response.text
        self.path = response.url.removeprefix(self.address)
        return self
