"""How a table's rows lie in files, and what a look-up of one value reads, by the log alone."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError
from jobs.maintenance import layout
from jobs.maintenance.housed_tables import HousedTable, chosen
from jobs.maintenance.layout import Layout
from tests.jobs.lakehouse import ORDERS, order_event, put, silver_order

SILVER = "silver.orders"


def files(*content: tuple[str, int, str | None, str | None]) -> Layout:
    """A layout of these files: path, bytes, smallest and largest value."""
    names = ("path", "bytes", "smallest", "largest")
    columns = {
        name: pa.chunked_array([pa.array(values)])
        for name, values in zip(names, zip(*content, strict=True), strict=True)
    }
    for name in names[2:]:
        columns[name] = columns[name].cast(pa.string())
    return Layout(1, pa.table({**columns, "partition": pa.nulls(len(content), pa.string())}))


def test_files_are_those_of_the_version_with_their_partition(lake: str) -> None:
    (table,) = chosen([SILVER])
    put(SILVER, [silver_order("O1"), silver_order("O2", order_date=date(2026, 9, 30))])
    put(SILVER, [silver_order("O3")])

    newest, first = layout.read(table), layout.read(table, 0)

    assert newest is not None
    assert first is not None
    assert (newest.version, newest.number, first.number) == (1, 1, 2)
    assert sorted(first.files["partition"].to_pylist()) == ["2026-09", "2026-10"]
    assert first.bytes == sum(first.files["bytes"].to_pylist()) > 0
    assert first.files["smallest"].to_pylist() == ["C1", "C1"]


def test_table_that_does_not_exist_and_version_that_is_gone_have_none(lake: str) -> None:
    (table,) = chosen([SILVER])
    assert layout.read(table) is None
    put(SILVER, [silver_order("O1")])
    assert layout.read(table, 7) is None


def test_date_that_python_does_not_know_breaks_nothing(lake: str) -> None:
    far = pa.array([6_700_000], pa.int32()).cast(pa.date32())  # in the year 20313
    write_deltalake(
        settings.lake().uri("silver.far"), pa.table({"day": far}), storage_options=settings.storage_options()
    )

    found = layout.read(HousedTable("silver.far", zorder_by=("day",)))

    assert found is not None
    assert found.scanned(layout.sample(HousedTable("silver.far", zorder_by=("day",))))[0] == 1


def test_look_up_reads_the_files_whose_range_holds_the_value() -> None:
    sorted_, mixed = (
        files(("a", 10, "C1", "C3"), ("b", 30, "C4", "C9")),
        files(("a", 10, "C1", "C9"), ("b", 30, "C1", "C9")),
    )
    values = pa.array(["C2", "C4"])

    assert sorted_.scanned(values) == (1.0, 20.0)
    assert mixed.scanned(values) == (2.0, 40.0)


def test_file_without_statistics_is_always_read() -> None:
    assert files(("a", 10, None, None), ("b", 30, "C4", "C9")).scanned(pa.array(["C1"])) == (1.0, 10.0)


def test_look_up_without_a_value_reads_all() -> None:
    assert files(("a", 10, "C1", "C3"), ("b", 30, "C4", "C9")).scanned(pa.array([], pa.string())) == (2.0, 40.0)


def test_values_are_of_the_column_that_queries_ask_by_and_spread_over_the_table(lake: str) -> None:
    (table,) = chosen([SILVER])
    put(SILVER, [silver_order(f"O{n}", customer_id=f"C{n:03d}") for n in range(100)])

    assert layout.sample(table).to_pylist() == ["C012", "C037", "C062", "C087"]


def test_empty_table_and_table_that_no_query_looks_into_have_no_values(lake: str) -> None:
    orders, events = chosen([SILVER, "bronze.orders_events"])[::-1]
    put(orders.name, [])
    put(events.name, [order_event(offset=1)])

    assert [len(layout.sample(table)) for table in (orders, events)] == [0, 0]


def test_all_layers_and_every_quarantine_are_looked_after() -> None:
    names = {table.name for table in chosen()}

    assert {
        ORDERS,
        "bronze.orders_dlq",
        SILVER,
        "gold.fact_orders",
        "quarantine.orders",
        "quarantine.fx_rates",
    } <= names


def test_error_for_an_unknown_table_lists_those_that_exist() -> None:
    with pytest.raises(
        ConfigurationError, match=r"no table silver\.order to look after; there are .*quarantine\.orders"
    ):
        chosen(["silver.order"])
