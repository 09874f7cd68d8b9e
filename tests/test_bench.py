"""Tests of the measurements that need no model: the simulation, and what is said without a GPU."""

import subprocess
import sys

import pytest

from bench.gpu import BEGIN, END, make_table, write_between_markers
from bench.scaling import Assumptions, most_gpus, simulate
from tests.processes import ROOT

# 10 candidates a batch, 1 s to generate, 10 ms of the database.
SMALL = Assumptions(
    candidates=1000, batch=10, new_tokens=100, gpu_tokens_per_second=1000, worker_ms=0, database_ms=1
)


def test_one_gpu_takes_as_long_as_generating_and_storing_one_after_the_other():
    # 100 batches of 1 s and 0.01 s.
    found = simulate(1, SMALL)

    assert found.hours * 3600 == pytest.approx(101)
    assert found.gpu_busy == pytest.approx(100 / 101)
    assert found.saturated == "GPUs"


def test_more_gpus_than_the_database_can_serve_wait_for_it():
    assert most_gpus(SMALL) == 101
    found = simulate(1000, SMALL)

    # A thousand GPUs take one batch of the hundred each, or none: the database stores 1000 x 1 ms after 1 s.
    assert found.hours * 3600 == pytest.approx(2, abs=0.1)
    assert simulate(200, Assumptions(**(vars(SMALL) | {"candidates": 100_000}))).saturated == "database"


def test_without_a_gpu_the_measurement_says_so_and_ends_well():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run([sys.executable, "-m", "bench.gpu"], cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "no GPU here: nothing measured, nothing written\n")


def test_figures_are_written_between_the_markers_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n")
    options = type("Options", (), {"model": "m", "prompts": 2, "samples": 3, "tokens": 4})
    figures = {"empanel": {"speed": 90.0, "busy": 95.0}, "vllm": {"speed": 100.0, "busy": 99.0}}
    write_between_markers(page, make_table("A card", "vllm", figures, options))
    text = page.read_text()

    assert text.startswith(f"Before.\n{BEGIN}\nA card, ")
    assert "| Empanel | 90 | 95% |\n| vllm | 100 | 99% |" in text
    assert "Empanel reaches 90% of the other's speed" in text
    assert text.endswith(f"{END}\nAfter.\n")


def test_the_page_has_the_markers():
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")

    assert text.index(BEGIN) < text.index(END)
