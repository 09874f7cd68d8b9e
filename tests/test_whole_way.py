"""The whole way over HTTP on PostgreSQL and Redis: from the demo's prompts to a release that adds up."""

from pathlib import Path

import pytest
from datasets import load_dataset

from tests.released import Researcher, check_welfare
from tests.small_demo import PEOPLE, PROMPTS, opinion, write_small_demo
from tests.web_people import WebPerson

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
SCOPES = ["take_part", "release_ratings", "release_demographics"]


def test_from_prompts_to_a_release_on_postgresql_and_redis(
    start_empanel, postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    empanel = start_empanel(DATABASE_URL=postgres_url, REDIS_URL=redis_url).wait_ready()
    empanel.manage("import_campaign", str(write_small_demo(tmp_path / "small")), "--slug", "small")
    manager = Researcher(empanel.address, empanel.manage("create_token", "manager").strip().splitlines()[-1])
    empanel.manage("generate", "small", "--wait")
    assert manager.http.post(f"{manager.base}/campaigns/small/open/", timeout=60).status_code == 200

    empanel.wait_for(lambda: seats(manager) == len(PEOPLE) * PROMPTS, "every prompt has its jury's seats")
    people = [take_part(empanel, age, gender) for age, gender in PEOPLE]
    progress = manager.get("campaigns/small/progress/")
    people[0].get("/c/small/withdraw/").post("/c/small/withdraw/", {"confirm": "1"})
    release = manager.cut("small", "1.0.0")
    folder = manager.download(release, tmp_path / "release")

    assert "completion code" in people[-1].page
    assert sum(row["filled"] for row in progress["strata"]) == len(PEOPLE) * PROMPTS
    assert "0 problems" in empanel.manage("verify_release", str(folder))
    assert check_welfare(folder) == PROMPTS * 4 * 3
    ratings = load_dataset(str(folder), "ratings", split="train", cache_dir=str(tmp_path / "cache"))
    assert ratings.num_rows == (len(PEOPLE) - 1) * PROMPTS * 4 * 3


def seats(manager: Researcher) -> int:
    return sum(row["seats"] for row in manager.get("campaigns/small/progress/")["strata"])


def take_part(empanel, age: str, gender: str) -> WebPerson:
    profile = {"core-demographics.age_band": age, "core-demographics.gender": gender}
    person = WebPerson(empanel.address, "small").enrol(profile, SCOPES)
    while person.is_rating:
        person.rate(lambda at, name: opinion(age, gender, at, name))
    return person
