"""What /healthz, /readyz and /metrics answer, and to whom."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import OperationalError

from collector.environment import read_queues
from collector.generation import start_generation
from collector.health import worker_queues
from collector.heartbeat import record_heartbeat, remove_heartbeat, workers_alive
from collector.metrics import Metric, to_prometheus
from collector.models import WorkerHeartbeat
from tests.builders import make_generator, make_open_campaign

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def live_workers(db):
    for queue in worker_queues():
        record_heartbeat(f"{queue}@here", [queue], datetime.now(UTC))


@pytest.fixture
def broker(settings, tmp_path):
    settings.BROKER_DIR = tmp_path


def test_healthz_asks_no_database(client):
    # No `db` fixture: a query would raise.
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_readyz_is_ok_when_everything_is(client, live_workers, broker):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {
            "database": "ok",
            "broker": "ok",
            "migrations": "ok",
            "worker empanel": "ok",
            "worker generation": "ok",
        },
    }


def test_readyz_names_the_queue_without_a_worker(client, live_workers, broker):
    remove_heartbeat("generation@here")
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["checks"]["worker generation"] == (
        'no worker is taking tasks from the queue "generation"'
    )
    assert answer.json()["checks"]["worker empanel"] == "ok"


def test_readyz_says_that_the_broker_is_gone(client, live_workers, settings):
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"] == "unreachable (ConnectionError)"
    assert b"secret" not in answer.content


def test_readyz_says_that_migrations_are_missing(client, live_workers, broker):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="exports").delete()
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "not applied; run manage.py migrate" in answer.json()["checks"]["migrations"]


def test_readyz_answers_without_a_database(client, broker, monkeypatch):
    from django.db.backends.base.base import BaseDatabaseWrapper

    def refuse(self):
        raise OperationalError("could not connect to db.internal as empanel")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", refuse)
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "unreachable (OperationalError)", "broker": "ok"}


def test_health_answers_reads_only(client):
    assert client.post("/healthz").status_code == 405


def test_a_worker_lives_for_twenty_seconds_after_it_was_seen(db):
    record_heartbeat("one@here", ["empanel"], NOW)

    assert workers_alive("empanel", NOW + timedelta(seconds=19))
    assert not workers_alive("empanel", NOW + timedelta(seconds=21))
    assert not workers_alive("generation", NOW)


def test_a_worker_not_seen_for_a_day_is_forgotten(db):
    record_heartbeat("old@there", ["empanel"], NOW - timedelta(days=2))
    record_heartbeat("new@here", ["empanel"], NOW)

    assert list(WorkerHeartbeat.objects.values_list("name", flat=True)) == ["new@here"]


def test_metrics_count_candidates_and_seats(client, live_workers):
    campaign = make_open_campaign()
    text = client.get("/metrics").content.decode()

    assert 'empanel_campaigns{state="open"} 1\n' in text
    assert f'empanel_candidates{{state="done"}} {campaign.candidates.count()}\n' in text
    assert 'empanel_worker_heartbeat_age_seconds{worker="generation@here"}' in text
    assert "# TYPE empanel_seats_filled gauge\n" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.8"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=203.0.113.9"}, 403),
        ({"REMOTE_ADDR": "10.0.0.8", "HTTP_AUTHORIZATION": "Bearer the-token-of-the-operator"}, 200),
        ({"REMOTE_ADDR": "10.0.0.8", "HTTP_AUTHORIZATION": "Bearer another"}, 403),
        ({"REMOTE_ADDR": "10.0.0.8", "HTTP_AUTHORIZATION": "Basic the-token-of-the-operator"}, 403),
    ],
)
def test_metrics_are_for_this_machine_and_for_the_token(client, settings, extra, status):
    settings.METRICS_TOKEN = "the-token-of-the-operator"

    assert client.get("/metrics", **extra).status_code == status


@pytest.mark.django_db
def test_an_unset_token_lets_nobody_in(client):
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.8", HTTP_AUTHORIZATION="Bearer ").status_code == 403


def test_labels_are_escaped():
    metric = Metric("m", "M.", [({"name": 'a"b\\c\nd'}, 1.5)])

    assert to_prometheus([metric]).splitlines()[-1] == r'm{name="a\"b\\c\nd"} 1.5'


def test_a_queue_with_work_and_no_worker_is_named(client, live_workers, broker):
    campaign = make_open_campaign()
    generator = make_generator(campaign, queue="large-gpu")
    start_generation(campaign, now=NOW, publish=False)
    before = client.get("/readyz").json()["checks"]
    record_heartbeat("gpu@there", ["large-gpu"], datetime.now(UTC))
    after = client.get("/readyz").json()["checks"]

    assert before["worker large-gpu"] == 'no worker is taking tasks from the queue "large-gpu"'
    assert after["worker large-gpu"] == "ok"
    assert 'empanel_queue_without_worker{queue="large-gpu"} 0\n' in client.get("/metrics").content.decode()
    assert generator.runs.count() == 1


@pytest.mark.parametrize(
    ("raw", "said"),
    [("a b", '"a b" is no name of a queue'), ("gpu,empanel", '"empanel" has a worker of its own')],
)
def test_names_of_queues_are_checked(monkeypatch, raw, said):
    monkeypatch.setenv("WORKER_QUEUES", raw)

    with pytest.raises(ImproperlyConfigured, match=said):
        read_queues("WORKER_QUEUES", [], reserved="empanel")


def test_a_generator_cannot_use_the_queue_of_short_tasks(db):
    generator = make_generator(make_open_campaign(), queue="empanel")

    with pytest.raises(ValidationError, match="short tasks"):
        generator.full_clean()
