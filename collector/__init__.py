"""What is asked, and the candidates; also the project package: settings, urls, celery, wsgi."""

from collector.celery import app as celery_app

__all__ = ["celery_app"]
