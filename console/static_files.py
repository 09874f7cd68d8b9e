"""Collecting static files only when one of them changed, since compressing them takes seconds."""

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command


def collect_changed_files() -> bool:
    """Collect and compress all static files, unless just these are there; returns whether it was needed."""
    folder = Path(settings.STATIC_ROOT)
    stamp = folder / ".collected"
    fingerprint = _fingerprint()
    if _read(stamp) == fingerprint:
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _read(stamp) == fingerprint:
                return False
            call_command("collectstatic", interactive=False, verbosity=0)
            stamp.write_text(fingerprint)
    except OSError as error:
        raise ImproperlyConfigured(f"STATIC_DIR={folder} cannot be written ({error.strerror})") from error
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            digest.update(name.encode() + b"\0" + Path(storage.path(name)).read_bytes())
    return digest.hexdigest()


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.is_file() else ""
