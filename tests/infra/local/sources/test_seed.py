"""Loading the seeds into the running stand-ins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.addresses import Addresses
from infra.local.seeds import Defect, generate
from infra.local.sources.ecb.history import newest
from infra.local.sources.seed import connect, main, order_row
from tests.infra.local.sources.conftest import Org, Server

Load = Callable[..., str]

SIZE = 200
SEEDS = generate(SIZE, newest())


@pytest.fixture
def load(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Load:
    """Runs the loader's command in process and returns what it prints."""

    def run(size: int = SIZE) -> str:
        for name, value in {**addresses.environment(), "SLUICE_SEED_SIZE": str(size)}.items():
            monkeypatch.setenv(name, value)
        main()
        return capsys.readouterr().out

    return run


def orders(addresses: Addresses) -> Counter[tuple[Any, ...]]:
    with connect(addresses) as connection:
        rows = connection.cursor().execute("SELECT * FROM ORDERS").fetchall()
    return Counter(tuple(None if value is None else str(value) for value in row) for row in rows)


@pytest.fixture
def loaded(addresses: Addresses, servers: dict[str, Server], org: Org, load: Load) -> str:
    org.control("PUT", "notes/seeds", {"text": None})
    with connect(addresses) as connection:
        connection.cursor().execute("CREATE SCHEMA IF NOT EXISTS SEEDS")
        connection.cursor().execute("DROP TABLE IF EXISTS SEEDS.LOADED")
    return load()


def test_the_sources_hold_exactly_the_seeds(addresses: Addresses, org: Org, loaded: str) -> None:
    assert orders(addresses) == Counter(tuple(order_row(order)) for order in SEEDS.orders)

    soql = "SELECT Id, AccountNumber, Name, SystemModstamp, IsDeleted FROM Account"
    found = {record["Id"]: record for record in org.client().query_all(soql, include_deleted=True)["records"]}
    assert len(found) == len(SEEDS.accounts)
    for account in SEEDS.accounts:
        record = found[account.id]
        assert record["AccountNumber"] == account.account_number
        assert record["Name"] == account.name
        assert record["IsDeleted"] == account.is_deleted
        assert record["SystemModstamp"] == account.system_modstamp.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def test_loading_prints_the_rows_of_each_defect(loaded: str) -> None:
    printed = {line.split()[0]: int(line.split()[1]) for line in loaded.splitlines()[1:]}
    assert printed == {defect.value: rows for defect, rows in SEEDS.counts().items()}


def test_a_second_load_leaves_rows_changed_by_hand(addresses: Addresses, org: Org, loaded: str, load: Load) -> None:
    with connect(addresses) as connection:
        connection.cursor().execute("UPDATE ORDERS SET STATUS = 'CANCELLED'")
    account = SEEDS.accounts[0].id
    org.put({"Id": account, "Name": "renamed", "SystemModstamp": "2026-10-30T23:00:00Z"})
    before = orders(addresses)

    assert load().startswith("seeds are loaded: 200 orders to ")
    assert orders(addresses) == before
    assert org.ids("SELECT Id FROM Account WHERE Name = 'renamed'") == [account]


def test_other_seeds_replace_all_rows(addresses: Addresses, org: Org, loaded: str, load: Load) -> None:
    load(300)
    other = generate(300, newest())
    assert orders(addresses).total() == len(other.orders)
    assert org.control("GET", "state")["records"] == len(other.accounts)


def test_a_window_of_one_day_holds_its_edge_and_not_the_next(addresses: Addresses, loaded: str) -> None:
    day = newest()
    sql = "SELECT ORDER_ID FROM ORDERS WHERE UPDATED_AT >= %s AND UPDATED_AT < DATEADD(DAY, 1, %s::TIMESTAMP_NTZ)"
    edges = {order.order_id for order in SEEDS.orders if Defect.WINDOW_EDGE in order.defects}
    expected = {order.order_id for order in SEEDS.orders if order.updated_at.date() == day}
    with connect(addresses) as connection:
        found = {row[0] for row in connection.cursor().execute(sql, (str(day), str(day))).fetchall()}
    assert found == expected
    assert edges
