"""Two drivers, one table on S3: with the lease no commit is lost; without it some are, or fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from infra.setup import spark_conf
from jobs.lake import settings

REPOSITORY = Path(__file__).resolve().parents[2]
WRITERS = ("a", "b")
COMMITS = 50  # of each


def race(lake_environment: dict[str, str], mode: str) -> tuple[int, int]:
    """Number of commits that the drivers believe they made, and of those that the table's history has."""
    environment = {**os.environ, **spark_conf.environment(lake_environment), "PYTHONPATH": str(REPOSITORY)}
    drivers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.racing_writer", name, str(COMMITS), mode],
            cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in WRITERS
    ]  # fmt: skip
    try:
        for driver in drivers:
            assert driver.stdout
            while (line := driver.stdout.readline()) != "ready\n":
                assert line, "a driver ended before it was ready"
        for driver in drivers:
            assert driver.stdin
            driver.stdin.write("go\n")
            driver.stdin.flush()
        reported = [int(driver.communicate(timeout=400)[0].split()[-1]) for driver in drivers]
    finally:
        for driver in drivers:
            driver.kill()
    table = DeltaTable(settings.lake().uri("bronze.race"), storage_options=settings.storage_options())
    rows = table.to_pyarrow_table().to_pylist()
    kept = {(row["writer"], row["n"]) for row in rows}
    assert len(rows) == len(kept), "a commit was doubled"
    print(f"{mode}: {sum(reported)} commits reported, {len(kept)} in the table, {len(table.history())} in its history")
    return sum(reported), len(kept)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_the_lease_every_one_of_100_racing_commits_is_kept(lake: str, lake_environment: dict[str, str]) -> None:
    reported, kept = race(lake_environment, "leased")

    assert (reported, kept) == (2 * COMMITS, 2 * COMMITS)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_without_the_lease_commits_are_lost_or_fail(lake: str, lake_environment: dict[str, str]) -> None:
    _, kept = race(lake_environment, "bare")

    assert kept < 2 * COMMITS
