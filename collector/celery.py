"""The Celery application: both brokers, and the folders that the file-backed one and beat need."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")

app = Celery("empanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_folders(sender: Celery, **_: object) -> None:
    Path(str(sender.conf.beat_schedule_filename)).parent.mkdir(parents=True, exist_ok=True)
    options = sender.conf.broker_transport_options or {}
    for key in ("data_folder_in", "data_folder_out", "control_folder"):
        if key in options:
            Path(str(options[key])).mkdir(parents=True, exist_ok=True)
