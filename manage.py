#!/usr/bin/env python
"""Django's command line for Empanel; it also reads `.env`, and says a bad setting in one line."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from collector.environment import load_env_file
from console.preflight import check_machine


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
    try:
        load_env_file(Path(__file__).resolve().parent / ".env")
        if sys.argv[1:2] == ["up"]:
            check_machine()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Empanel cannot start: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
