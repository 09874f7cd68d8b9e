"""Settings come from the environment, loudly, and every one of them is written down."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from collector.environment import load_env_file, read_secret
from tests.processes import ROOT

READ = re.compile(r'read_(?:text|flag|number|list|choice|url|secret|origins|keys|queues)\(\s*"([A-Z0-9_]+)"')


def settings_read() -> set[str]:
    sources = [*(ROOT / "collector").glob("*.py"), *(ROOT / "console").rglob("*.py")]
    return {name for source in sources for name in READ.findall(source.read_text())}


def start_with(**environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "diffsettings"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DEBUG", "maybe", "must be 1 or 0"),
        ("HTTPS", "2", "must be 1 or 0"),
        (
            "DATABASE_URL",
            "mysql://localhost/empanel",
            "must begin with postgres:// or postgresql:// or sqlite://",
        ),
        ("REDIS_URL", "localhost:6379", "must begin with redis:// or rediss://"),
        ("GENERATION_BATCH_SIZE", "0", "must be a whole number from 1 to 4096"),
        ("SWEEP_SECONDS", "ten", "must be a whole number from 1 to 2147483648"),
        (
            "PROVIDER_HOSTS",
            "http://169.254.169.254:80",
            '"http://169.254.169.254:80" is neither a host name nor a loopback or private address with '
            "scheme and port, as in http://127.0.0.1:8080",
        ),
        ("LOG_FORMAT", "xml", "must be one of console, json"),
        ("LOG_LEVEL", "loud", "must be one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_bad_value_stops_the_start_in_one_line(name, value, words):
    done = start_with(**{name: value})

    assert done.returncode == 1
    assert done.stderr == f"Empanel cannot start: {name}={value!r}: {words}\n"


def test_a_short_key_stops_the_start():
    done = start_with(SECRET_KEY="short")

    assert done.stderr == "Empanel cannot start: SECRET_KEY must be at least 32 characters long\n"


def test_a_bad_list_of_keys_stops_the_start_and_is_not_repeated():
    done = start_with(OPENAI_API_KEYS="api.example.org=first,sk-secret")

    assert done.stderr == "Empanel cannot start: OPENAI_API_KEYS: entry 2 is not host=key\n"


@pytest.mark.parametrize("document", [".env.example", "docs/running.md"])
def test_every_setting_is_written_down(document):
    text = (ROOT / document).read_text()

    assert settings_read()
    assert [name for name in sorted(settings_read()) if not re.search(rf"\b{name}\b", text)] == []


def test_the_example_names_no_setting_that_nothing_reads():
    named = re.findall(r"^#?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(set(named) - settings_read()) == []


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path, monkeypatch):
    monkeypatch.delenv("EXAMPLE_KEY", raising=False)
    file = tmp_path / "secrets" / "key"

    assert read_secret("EXAMPLE_KEY", file) == read_secret("EXAMPLE_KEY", file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_env_file_sets_what_the_environment_does_not(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("# a comment\n\nEXAMPLE_ONE=from the file\nexport EXAMPLE_TWO='quoted'\n")
    monkeypatch.setenv("EXAMPLE_ONE", "from the environment")
    monkeypatch.setenv("EXAMPLE_TWO", "to be removed again")
    monkeypatch.delenv("EXAMPLE_TWO")
    load_env_file(file)

    assert (os.environ["EXAMPLE_ONE"], os.environ["EXAMPLE_TWO"]) == ("from the environment", "quoted")


def test_a_bad_line_of_the_env_file_is_named(tmp_path):
    file = tmp_path / ".env"
    file.write_text("PORT 8000\n")

    with pytest.raises(ImproperlyConfigured, match=r"^\.env line 1: expected NAME=value$"):
        load_env_file(file)


def test_no_env_file_is_no_error():
    load_env_file(Path("/nowhere/.env"))
