"""What every provider promises: a list of requests in; for each, in order, a response or an error."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.utils.functional import Promise

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Request:
    """One response to ask for."""

    messages: Messages
    seed: int = 0
    temperature: float = 0.7
    top_p: float = 0.95
    max_new_tokens: int = 128


@dataclass(frozen=True)
class Response:
    """What came back, and what the provider knows of how it came about."""

    text: str
    provenance: dict[str, Any] = field(default_factory=dict)


class ProviderError(Exception):
    """A request that brought no response; a permanent one would fail the same way again."""

    def __init__(self, message: str, *, permanent: bool, retry_after: float = 0) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Provider(ABC):
    """A way to reach models. Making one is cheap; what is slow happens on the first request."""

    label: ClassVar[str | Promise]
    # False where candidates come from outside, so that there is never anything to ask for.
    generates: ClassVar[bool] = True
    # True where the manager says at which address to ask; it comes as options["endpoint"].
    has_endpoint: ClassVar[bool] = False

    def __init__(self, model: str = "", options: Mapping[str, Any] | None = None) -> None:
        self.model = model
        self.options = dict(options or {})

    @classmethod
    def batch_size(cls) -> int:
        """How many requests it takes well at once on this machine, where no setting says otherwise."""
        return 32

    @abstractmethod
    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        """One result per request, in order; raises ProviderError where none of them can be tried."""

    def stream(self, request: Request) -> Generator[str, None, Response]:
        """The pieces of one response's text as they come, for live conversations; returns the Response.

        Joined, the pieces are its text. `for piece in provider.stream(request)` shows them, and
        `response = yield from provider.stream(request)` also learns what is known of them. Raises
        ProviderError, also in the middle; close it to stop early. A provider that cannot stream yields
        the whole text at once.
        """
        [result] = self.generate([request])
        if isinstance(result, ProviderError):
            raise result
        yield result.text
        return result
