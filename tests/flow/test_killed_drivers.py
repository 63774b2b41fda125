"""A warm driver's JVM, its Python and its server, each killed in the middle of a MERGE: the run goes on, gold is right.

Each time an order has changed. A step renews its lease just before it merges: the kill comes half a second later, and
counts if the MERGE has not committed by then.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psutil
import pytest

from infra.local import processes
from infra.local.aws.emr.process import PID_FILE
from infra.local.seeds import Order
from jobs.lake.state.leases import HEARTBEAT
from tests.flow import expected_gold
from tests.flow.conftest import Platform, started
from tests.flow.test_recovery import ORDERS, SILVER, rows, source
from tests.flow.test_stumbles import job_runs, wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PORT = 18840
BEAT = timedelta(seconds=1)  # a heartbeat may be late by it
GOLD = "gold.fact_orders"
WORKER, SERVER = "infra.local.aws.emr.warm.worker", "infra.local.aws.server"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("killed"), PORT) as running:
        yield running


def driver(platform: Platform, job_run: str) -> psutil.Process:
    """The Python of a job run, a fork of its warm worker."""
    (file,) = (platform.addresses.home / "emr").glob(f"*/{job_run}/{PID_FILE}")
    found = psutil.Process(json.loads(file.read_text())["pid"])
    assert WORKER in found.parent().cmdline(), "the driver is a cold one"
    return found


def jvm(platform: Platform, job_run: str) -> psutil.Process:
    (found,) = [each for each in driver(platform, job_run).parent().children() if each.name() == "java"]
    return found


def server(platform: Platform, _: str) -> psutil.Process:
    (found,) = [
        member.process
        for member in processes.members(platform.addresses.home)
        if member.part == "aws" and SERVER in member.process.cmdline()
    ]
    return found


def lease(platform: Platform) -> dict[str, Any]:
    body = platform.client("s3").get_object(Bucket=platform.addresses.lake_bucket, Key=f"_locks/{SILVER}.json")["Body"]
    found: dict[str, Any] = json.loads(body.read())
    return found


def killed_in_a_merge(
    platform: Platform, run_id: str, victim: Callable[[Platform, str], psutil.Process]
) -> bool | None:
    """Kills what a MERGE of silver works with. False if its commit was quicker; None if nothing was killed.

    A renewal that comes at a heartbeat's moment can't be told from it.
    """
    (job,) = wait(lambda: job_runs(platform, run_id, SILVER, "RUNNING"), 240, "silver does not run")
    version, process = platform.table(SILVER).version(), victim(platform, job["id"])
    wait(lambda: lease(platform)["run_id"] == run_id, 60, "silver takes no lease")
    taken = datetime.fromisoformat(lease(platform)["heartbeat_at"])

    def merges() -> bool:
        """Whether the lease was renewed, and not by the heartbeat."""
        since = datetime.fromisoformat(lease(platform)["heartbeat_at"]) - taken
        return since > BEAT and BEAT < since % HEARTBEAT < HEARTBEAT - BEAT

    give_up = time.monotonic() + 120
    while not merges():
        if platform.table(SILVER).version() > version:
            return None
        assert time.monotonic() < give_up, "silver merges nothing"
    time.sleep(0.5)
    process.kill()
    process.wait(30)
    return platform.table(SILVER).version() == version


def changed(platform: Platform, order: Order, number: int) -> Order:
    """The order after a change at its source."""
    amount, moment = Decimal(f"{number}.50"), datetime.now(UTC).replace(microsecond=0)
    stamp = moment.replace(tzinfo=None)
    source(
        platform,
        f"UPDATE PUBLIC.ORDERS SET AMOUNT = {amount}, UPDATED_AT = '{stamp}' WHERE ORDER_ID = '{order.order_id}'",
    )
    return replace(order, amount=amount, updated_at=moment)


def test_kills_in_the_middle_of_a_merge(platform: Platform) -> None:
    now: dict[str, Order] = {}
    good = [order for order in platform.seeds.orders if not order.defects]
    for victim in (jvm, driver, server):
        for _ in range(5):
            order = good.pop()
            now[order.order_id] = changed(platform, order, len(good))
            run_id = platform.trigger(tables=[ORDERS, SILVER, GOLD])
            in_time = killed_in_a_merge(platform, run_id, victim)
            if victim is server and in_time is not None:
                assert platform.command("run").stderr.startswith("aws of the running platform is down: run `make down`")
                assert platform.command("down").returncode == 0
                assert platform.command("run").returncode == 0
            ended = platform.wait(run_id, 600)
            assert set(ended.values()) <= {"success", "skipped"}, (victim, ended)
            if in_time:
                break
        else:
            pytest.fail(f"the commit was always quicker than the kill of {victim.__name__}")
        lost = [each for each in job_runs(platform, run_id, SILVER) if each["state"] == "FAILED"]
        assert victim is server or len(lost) == 1

    orders = tuple(now.get(order.order_id, order) for order in platform.seeds.orders)
    expected = expected_gold.facts(replace(platform.seeds, orders=orders))
    facts = {row["order_id"]: (row["amount_native"], row["amount_usd"], row["status"]) for row in rows(platform, GOLD)}
    assert facts == {
        order_id: (amount, usd, status) for order_id, (_, _, _, amount, usd, status, _) in expected.items()
    }
