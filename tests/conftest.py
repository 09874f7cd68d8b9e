"""Fixtures every test may use: the shared data folder and a campaign that is open to annotators."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from tests.processes import start_empanel  # noqa: F401
from tests.servers import postgres_server, postgres_url, redis_url  # noqa: F401


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published data sets, which is not part of the repository."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("EMPANEL_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}; set EMPANEL_SHARED_DATA")
    return folder


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    """Pages are rendered without collecting and compressing the static files first."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Half a second per user is right for the site and too much for a thousand tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_language_stays() -> Iterator[None]:
    """A page asked for in Arabic would leave the tests after it in Arabic too."""
    yield
    translation.deactivate()
