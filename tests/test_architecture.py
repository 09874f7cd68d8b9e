"""Imports point back along collector <- annotations <- exports <- console, and statistics know no Django."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT

APPS = ["collector", "annotations", "exports", "console"]
PURE = ["annotations/statistics", "annotations/instruments/loader.py", "annotations/instruments/scorer.py"]
SOURCES = [file for app in APPS for file in sorted((ROOT / app).rglob("*.py"))]


def imported_modules(file: Path) -> Iterator[tuple[int, str]]:
    """Every module the file imports, at the top or inside a function, with its line."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} is a relative import"
            yield node.lineno, node.module or ""


def pure_files() -> Iterator[Path]:
    for name in PURE:
        path = ROOT / name
        yield from [path] if path.is_file() else path.rglob("*.py")


@pytest.mark.parametrize("app", APPS)
def test_imports_point_back(app):
    later = set(APPS[APPS.index(app) + 1 :])
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for file in sorted((ROOT / app).rglob("*.py"))
        for line, module in imported_modules(file)
        if module.split(".")[0] in later
    ]

    assert wrong == []


def test_pure_modules_know_no_django():
    files = list(pure_files())
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for file in files
        for line, module in imported_modules(file)
        if module.split(".")[0] in {"django", "rest_framework", "celery", "collector", "exports", "console"}
        or (
            module.startswith("annotations")
            and not module.startswith(("annotations.statistics", "annotations.instruments"))
        )
    ]

    assert len(files) > 2
    assert wrong == []


def test_nobody_imports_the_tests():
    wrong = [
        str(file)
        for file in SOURCES
        for _, module in imported_modules(file)
        if module.split(".")[0] == "tests"
    ]

    assert wrong == []


def test_the_name_annotations_means_the_app():
    wrong = [str(file) for file in SOURCES for _, module in imported_modules(file) if module == "__future__"]

    assert wrong == []


def test_every_file_says_what_it_provides():
    silent = [
        str(file.relative_to(ROOT))
        for file in SOURCES
        if "migrations" not in file.parts
        and file.read_text().strip()
        and not ast.get_docstring(ast.parse(file.read_text()))
    ]

    assert silent == []
