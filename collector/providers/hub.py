"""Models of the Hugging Face hub, by name and commit, from its cache or downloaded into it."""

import re
from pathlib import Path

from collector.providers.base import ProviderError

HUB_NAME = re.compile(r"(?P<name>\w[\w.-]*/\w[\w.-]*)(@(?P<commit>[0-9a-f]{40}))?")
# Never pickles, never code.
WANTED = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
NOT_WANTED = ["*/*"]


def download(name: str, commit: str) -> Path:
    """The folder of that commit's files; nothing is fetched where the cache has it. Raises ProviderError."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(name, revision=commit, allow_patterns=WANTED, ignore_patterns=NOT_WANTED)
    except LocalEntryNotFoundError as error:
        offline = bool(constants.HF_HUB_OFFLINE)
        reason = "HF_HUB_OFFLINE is set" if offline else "the hub cannot be reached"
        raise ProviderError(
            f"{name}@{commit} is not in the hub's cache and {reason}", permanent=offline
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise ProviderError(
            f"the hub answered {status} for {name}@{commit}", permanent=status in (401, 403, 404)
        ) from error
    return Path(folder)
