"""What must hold before Empanel starts here: a folder to write in, a free port, no other Empanel."""

import fcntl
import os
import socket
from pathlib import Path
from typing import IO

from django.core.exceptions import ImproperlyConfigured

from collector.environment import read_number, read_text

BASE_DIR = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"


def check_machine() -> None:
    """Raise ImproperlyConfigured, in one line, where the data folder cannot be written or the port is taken.

    Runs before Django reads its settings, so that the first thing said is the thing to mend.
    """
    check_folder(data_folder())
    check_port(chosen_port())


def data_folder() -> Path:
    return Path(read_text("DATA_DIR", str(BASE_DIR / "data"))).resolve()


def chosen_port() -> int:
    return read_number("PORT", 8000, low=1, high=65535)


def check_folder(folder: Path) -> None:
    probe = folder / "run" / f"probe-{os.getpid()}"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ImproperlyConfigured(
            f"the data folder {folder} cannot be written ({error.strerror}); choose another with DATA_DIR=..."
        ) from error


def check_port(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except PermissionError as error:
            raise ImproperlyConfigured(
                f"port {port} is for root only; choose another with PORT=..."
            ) from error
        except OSError as error:
            raise ImproperlyConfigured(f"port {port} is in use; choose another with PORT=...") from error


def lock_folder(folder: Path) -> IO[str]:
    """The open lock file; the folder is this process's until the file is closed or the process ends."""
    lock = (folder / "run" / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ImproperlyConfigured(
            f"another Empanel is already running on the data folder {folder}"
        ) from error
    return lock
