"""A researcher: pulls a release through the API and recomputes its numbers from the raw ratings."""

import time
from pathlib import Path
from typing import Any

import pandas as pd
import requests


class Researcher:
    """Somebody with a token and nothing else."""

    def __init__(self, address: str, token: str) -> None:
        self.base = f"{address}/api/v1"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Any:
        response = self.http.get(f"{self.base}/{path}", timeout=60)
        response.raise_for_status()
        return response.json()

    def cut(self, slug: str, version: str) -> dict[str, Any]:
        """Asks for a release and waits until its files are there."""
        response = self.http.post(
            f"{self.base}/campaigns/{slug}/releases/", json={"version": version}, timeout=60
        )
        assert response.status_code == 202, response.text
        key = response.json()["id"]
        for _ in range(600):
            release = self.get(f"releases/{key}/")
            if release["state"] != "cutting":
                return release
            time.sleep(0.2)
        raise AssertionError(f"release {key} is still being cut")

    def download(self, release: dict[str, Any], folder: Path) -> Path:
        path = f"releases/{release['id']}/files/"
        for file in self.get(f"{path}?page_size=1000")["results"]:
            target = folder / file["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.http.get(f"{self.base}/{path}{file['path']}", timeout=60).content)
        return folder


def check_welfare(folder: Path) -> int:
    """Recomputes the jury benchmark's welfare from the ratings; returns how many rows were compared."""
    ratings = pd.read_parquet(folder / "data" / "ratings.parquet")
    annotators = pd.read_parquet(folder / "data" / "annotators.parquet")
    criteria = pd.read_parquet(folder / "data" / "criteria.parquet").set_index("criterion")
    rated = ratings.merge(
        annotators[["annotator_id", "stratum"]], on="annotator_id", suffixes=("", "_annotator")
    )
    scale = criteria.loc[rated["criterion"]]
    rated["u"] = (rated["value"].to_numpy() - scale["scale_min"].to_numpy()) / (
        scale["scale_max"].to_numpy() - scale["scale_min"].to_numpy()
    )
    jury = pd.concat(
        pd.read_parquet(path) for path in sorted((folder / "benchmarks" / "jury").glob("*.parquet"))
    )
    for row in jury.itertuples():
        mine = rated[(rated["candidate_id"] == row.candidate_id) & (rated["criterion"] == row.criterion)]
        assert row.n_jurors == len(mine)
        assert abs(row.welfare["utilitarian"] - mine["u"].mean()) < 1e-9
        assert abs(row.welfare["maximin"] - mine["u"].min()) < 1e-9
        assert abs(row.welfare["maximin_strata"] - mine.groupby("stratum")["u"].mean().min()) < 1e-9
    return len(jury)
