"""What is asked, and the candidates; also the project package: settings, urls, celery, wsgi."""

import os

from collector.celery import app as celery_app

# Read by OpenMP once, when a model's engine is loaded. Threads that spin while they wait for each other were
# measured to be ten to forty times slower beside another busy process, as web and workers on one machine are.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["celery_app"]
