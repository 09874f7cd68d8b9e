"""A running Empanel with something on it to look at: campaigns in every state, a release, and a manager.

Run as a script inside a data folder's environment, it writes the campaigns there; see `set_stage`.
"""

# ruff: noqa: E402  Django must be set up before its models are imported
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.processes import RunningEmpanel

STUDY = Path(__file__).resolve().parent / "study"
USERNAME, PASSWORD = "ada", "a password for the tests"
FILLING, DRAFT, CLOSED, OPEN, HOSTILE = "study", "draft", "closed", "open", "hostile"
VERSION = "1.0.0"
SIMULATED = 24  # leaves each prompt of the study a seat for a man of 55 or older
PAYLOADS = (
    "<script>document.title = 'run'</script> <img src=x onerror=\"document.title='run'\">",
    "[a link](javascript:document.title='run') ![an image](https://example.org/seen.png)",
    "</div></form><form action='https://example.org/'><input name='r-1-acceptable'><svg onload=alert(1)>",
    "<style>body { display: none }</style> <a href='data:text/html,x' style='position: fixed'>x</a> \u202e",
)


@contextmanager
def run_on_stage() -> Iterator[RunningEmpanel]:
    """An Empanel with all the campaigns below; nothing of it is left afterwards."""
    with TemporaryDirectory(prefix="empanel-stage-") as folder:
        empanel = RunningEmpanel(Path(folder) / "data")
        try:
            empanel.start().wait_ready()
            set_stage(empanel)
            yield empanel
        finally:
            empanel.kill_everything()


def set_stage(empanel: RunningEmpanel) -> None:
    """One process for all of it: each start of Django takes as long as all of the work."""
    command = [sys.executable, str(Path(__file__).resolve())]
    subprocess.run(command, cwd=ROOT, env=empanel.environment, check=True, timeout=300)


def write_study(folder: Path, *, texts: tuple[str, ...] = (), has_candidates: bool = True, **changes) -> Path:
    """The study's interchange folder with settings changed; `texts` are then the only prompt's responses."""
    folder.mkdir()
    settings = json.loads((STUDY / "campaign.json").read_text(encoding="utf-8")) | changes
    prompts = (STUDY / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    candidates = (STUDY / "candidates.jsonl").read_text(encoding="utf-8").splitlines()
    if texts:
        prompts, prompt = prompts[:1], json.loads(prompts[0])["prompt_id"]
        candidates = [
            json.dumps(
                {
                    "candidate_id": generator["name"],
                    "prompt_id": prompt,
                    "generator": generator["name"],
                    "text": text,
                }
            )
            for generator, text in zip(settings["generators"], texts, strict=True)
        ]
    if has_candidates:
        (folder / "candidates.jsonl").write_text("\n".join(candidates), encoding="utf-8")
    (folder / "prompts.jsonl").write_text("\n".join(prompts), encoding="utf-8")
    (folder / "campaign.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "collector.settings"
    import django

    django.setup()
    with TemporaryDirectory() as folder:
        _write_campaigns(Path(folder))


def _write_campaigns(folder: Path) -> None:
    from django.utils import timezone

    from annotations.jury import seat_ready_prompts
    from annotations.simulation import simulate
    from collector.lifecycle import close_campaign, open_campaign
    from collector.models import Campaign, User
    from exports.interchange import import_campaign
    from exports.releases import cut_release

    now = timezone.now()
    user = User.objects.create_superuser(USERNAME, password=PASSWORD)

    def add(slug: str, *, is_open: bool = True, most: int | None = None, **changes) -> Campaign:
        campaign = import_campaign(write_study(folder / slug, **changes), slug, owner=user, now=now)
        Campaign.objects.filter(pk=campaign.pk).update(max_seats_per_annotator=most)
        campaign.refresh_from_db()
        if is_open:
            open_campaign(campaign, now=now)
            seat_ready_prompts(campaign)
        return campaign

    anyone = {"strata": [], "seats_per_stratum": 60, "wildcard_seats": 0}
    scripted = {"provider": "scripted", "samples": 1, "steering": None}
    study = add(FILLING, most=2)
    simulate(study, SIMULATED, seed=3, now=now)
    # A moment later: a release holds what was allowed before it.
    cut_release(study, VERSION, user=user, now=timezone.now())
    add(
        DRAFT,
        is_open=False,
        title="Care for the old and the young",
        has_candidates=False,
        generators=[scripted | {"name": "plain"}, scripted | {"name": "warm", "temperature": 1.2}],
    )
    close_campaign(add(CLOSED, title="Promises we keep"), now=now)
    add(OPEN, title="Small favours", **anyone)
    add(HOSTILE, title="Rough manners", texts=PAYLOADS, **anyone)


if __name__ == "__main__":
    main()
