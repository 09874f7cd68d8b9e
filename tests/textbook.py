"""Published examples of agreement, inequality, rankings and distances, as (data, expected) pairs by name."""

import json


def load_textbook(shared_data):
    """The worked examples by name; see each one's `source` or `published`."""
    return json.loads((shared_data / "textbook" / "textbook_checks.json").read_text())
