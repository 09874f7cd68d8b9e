"""Releases cut away from the request that asked for them: asked for once, cut once, never lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exports.models import Release
from exports.releases import InvalidVersion
from exports.tasks import PATIENCE, VersionExists, cut_release, request_release, sweep_releases
from tests.builders import make_open_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """Arguments of the messages sent to the broker, which is not there."""
    messages = []
    monkeypatch.setattr(
        "celery.app.task.Task.apply_async", lambda self, args=(), *a, **k: messages.append(args)
    )
    return messages


def ask(version="1.0.0", **options):
    return request_release(make_open_campaign(), version, user=None, now=timezone.now(), **options)


def test_a_worker_completes_what_was_asked_for(sent):
    release = ask(include_simulated=False)
    cut_release(release.pk)

    release.refresh_from_db()
    assert release.state == "draft"
    assert release.manifest["include_simulated"] is False
    assert release.files.filter(path="MANIFEST.json").exists()


def test_cutting_twice_leaves_the_first(sent):
    release = ask()
    cut_release(release.pk)
    before = list(release.files.values_list("path", "sha256"))
    cut_release(release.pk)

    assert list(release.files.values_list("path", "sha256")) == before


def test_a_version_is_asked_for_once(sent):
    release = ask()

    with pytest.raises(VersionExists):
        request_release(release.campaign, "1.0.0", user=None, now=timezone.now())
    assert Release.objects.count() == 1


@pytest.mark.parametrize("version", ["../up", "", "a..b", "x" * 40])
def test_bad_versions_are_refused(version):
    with pytest.raises(InvalidVersion):
        ask(version)


def test_the_message_waits_for_the_commit(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        release = ask()
    assert sent == []

    for callback in callbacks:
        callback()
    assert [release.pk] in [list(args) for args in sent]


def test_the_sweeper_starts_only_old_cuts_over(sent):
    fresh, lost = ask(), ask()
    Release.objects.filter(pk=lost.pk).update(cutoff=timezone.now() - PATIENCE - timedelta(seconds=1))

    assert sweep_releases() == 1
    assert [list(args) for args in sent] == [[lost.pk]]
    assert fresh.state == "cutting"
