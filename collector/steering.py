"""From a prompt and a generator's steering to the messages a provider is sent."""

from collections.abc import Mapping
from typing import Any

from collector.models import Prompt
from collector.providers.base import Messages


def to_messages(prompt: Prompt, steering: Mapping[str, Any] | None) -> Messages:
    """The prompt's conversation, opened by the steering's system message where there is one.

    A system message of the prompt's own follows in the same message: many chat templates refuse a second.
    """
    messages = [{"role": m["role"], "content": m["content"]} for m in prompt.conversation]
    system = str((steering or {}).get("system") or "").strip()
    if not system:
        return messages
    if messages and messages[0]["role"] == "system":
        own = messages.pop(0)["content"]
        system = f"{system}\n\n{own}"
    return [{"role": "system", "content": system}, *messages]
