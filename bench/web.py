"""How fast the rating page and a ballot are served, on the database that DATABASE_URL names.

Server time is measured inside one process, without a network; ballots a second through gunicorn over
loopback, with clients in processes of their own. Quote ratios and medians: machines differ.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PROMPTS = int(os.environ.get("BENCH_PROMPTS", "10000"))
TEXT = "A considered answer, of the length that people get to read. " * 10
BALLOTS = int(os.environ.get("BENCH_BALLOTS", "400"))


def main() -> None:
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="empanel-bench-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.setdefault("RATE_LIMITS", "0")
    os.environ.setdefault("ALLOWED_HOSTS", "testserver,127.0.0.1")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    slug = make_large_campaign(PROMPTS)
    measure_server_time(slug)
    measure_throughput(slug)


def make_large_campaign(prompts: int) -> str:
    """An open campaign with four candidates a prompt and a jury of seven."""
    from annotations.jury import seat_ready_prompts
    from collector.models import Candidate, Prompt
    from collector.rendering import render_markdown
    from tests.builders import make_open_campaign

    campaign = make_open_campaign(f"bench-{time.time_ns()}", prompts=1, candidates=4, seats_per_stratum=1)
    generators = list(campaign.generators.all())
    html = render_markdown(TEXT)
    Prompt.objects.bulk_create(
        [
            Prompt(campaign=campaign, external_id=f"p{n:06d}", text=f"What of question {n}?", position=n)
            for n in range(prompts)
        ],
        batch_size=2000,
    )
    keys = list(campaign.prompts.filter(candidates=None).values_list("pk", "external_id"))
    Candidate.objects.bulk_create(
        (
            Candidate(
                campaign=campaign,
                prompt_id=pk,
                generator=generator,
                external_id=f"{name}-{generator.name}",
                state=Candidate.State.DONE,
                text=TEXT,
                html=html,
            )
            for pk, name in keys
            for generator in generators
        ),
        batch_size=2000,
    )
    seat_ready_prompts(campaign)
    return campaign.slug


def measure_server_time(slug: str) -> None:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from collector.models import Campaign
    from tests.people import Person

    person = Person(Campaign.objects.get(slug=slug))
    person.join().agree().skip_profile()

    next_times, ballot_times, next_queries, ballot_queries = [], [], set(), set()
    client: Client = person.client
    for _ in range(60):
        form = person.ballot(acceptable=4, helpful=70)
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            client.post(f"/c/{slug}/rate/send/", form)
            ballot_times.append(time.perf_counter() - started)
        ballot_queries.add(len(queries))
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            person.response = client.get(f"/c/{slug}/rate/")
            next_times.append(time.perf_counter() - started)
        next_queries.add(len(queries))
    for name, times, counts in (
        ("next page", next_times, next_queries),
        ("ballot", ballot_times, ballot_queries),
    ):
        quantiles = [1000 * value for value in statistics.quantiles(times, n=20)]
        print(
            f"{name}: server time p50 {quantiles[9]:.1f} ms, p95 {quantiles[18]:.1f} ms, "
            f"{min(counts)}-{max(counts)} queries, {PROMPTS} prompts"
        )


def measure_throughput(slug: str) -> None:
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "collector.wsgi", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen([*command, "--workers", "2", "--threads", "4", "--log-level", "error"])
    try:
        _wait(port)
        for clients in (1, 8, 32):
            print(_run_clients(port, slug, clients))
    finally:
        server.terminate()
        server.wait(10)


def _run_clients(port: int, slug: str, clients: int) -> str:
    walks = [Walk(port, slug) for _ in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(Walk.begin, walks))
        started = time.perf_counter()
        list(pool.map(lambda walk: walk.rate(BALLOTS // clients), walks))
        seconds = time.perf_counter() - started
    ballots = sum(len(walk.times) for walk in walks)
    errors = sum(walk.errors for walk in walks)
    times = sorted(1000 * t for walk in walks for t in walk.times)
    p50, p95, p99 = (times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
    return (
        f"{clients:2d} annotators: {ballots / seconds:.0f} ballots/s, each sent and the next page read in "
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, errors {errors}"
    )


class Walk:
    """One annotator's browser, reading every page it is sent to."""

    def __init__(self, port: int, slug: str) -> None:
        import requests

        self.http = requests.Session()
        self.base = f"http://127.0.0.1:{port}"
        self.slug = slug
        self.times: list[float] = []
        self.errors = 0

    def begin(self) -> None:
        page = self.http.get(f"{self.base}/join/{self.slug}/").text
        scopes = ["take_part", "release_ratings"]
        self._post("consent/", page, {"scope": scopes, "agree": "1"})
        self.page = self._post("profile/", self._get("profile/"), {"skip": "all"})

    def rate(self, ballots: int) -> None:
        for _ in range(ballots):
            fields = re.findall(r'name="(r-\d+-([\w-]+))"', self.page)
            answers = {field: "70" if name == "helpful" else "4" for field, name in fields}
            started = time.perf_counter()
            self.page = self._post("rate/send/", self.page, answers)
            self.times.append(time.perf_counter() - started)
            self.errors += 'id="ballot"' not in self.page

    def _get(self, path: str) -> str:
        return str(self.http.get(f"{self.base}/c/{self.slug}/{path}").text)

    def _post(self, path: str, page: str, data: dict[str, Any]) -> str:
        for name in ("csrfmiddlewaretoken", "form_nonce"):
            if found := re.search(rf'name="{name}" value="([^"]+)"', page):
                data[name] = found[1]
        response = self.http.post(f"{self.base}/c/{self.slug}/{path}", data, headers={"Referer": self.base})
        self.errors += response.status_code >= 400
        return str(response.text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web server did not start")


if __name__ == "__main__":
    main()
