"""The documentation names what there is: every command, model, target and link."""

import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS = ("collector", "annotations", "exports", "console")
COMMANDS = sorted(
    path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py") if path.parts[-4] in OURS
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_running(command: str) -> None:
    assert f"`{command}" in (ROOT / "docs" / "running.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model", [model.__name__ for app in OURS for model in apps.get_app_config(app).get_models()]
)
def test_every_model_is_in_the_data_model(model: str) -> None:
    assert f"`{model}`" in (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("target", ["run", "test", "lint", "bench", "help"])
def test_every_promised_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
