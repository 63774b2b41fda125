from __future__ import annotations

import json
import subprocess
import sys

from infra.local.addresses import REPOSITORY
from infra.pools import pools
from jobs.lake import tables


def test_every_table_of_the_registry_has_its_pool() -> None:
    assert list(pools()) == [table.name for table in tables.every()]


def test_one_job_at_a_time_holds_a_pool_also_while_its_task_is_deferred() -> None:
    assert {(pool["slots"], pool["include_deferred"]) for pool in pools().values()} == {(1, True)}


def test_module_prints_what_airflow_imports() -> None:
    command = [sys.executable, "-m", "infra.pools"]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == pools()
