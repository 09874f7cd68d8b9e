"""The tests' settings: the product's, with a data folder of their own that goes away.

Not in conftest.py, which pytest-django reads only after the settings.
"""

import atexit
import os
import shutil
import tempfile

# Each of several processes that share the tests out has a folder of its own too.
if not os.environ.get("DATA_DIR") or os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="empanel-tests-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

from collector.settings import *  # noqa: F403

# Loading it takes seconds; the tests of the encoder itself switch it on.
SENTENCE_ENCODER = "none"
