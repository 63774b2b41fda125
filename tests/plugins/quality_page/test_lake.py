"""Reading the lake costs what changed, and holds a bounded amount."""

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dq import summary
from tests.plugins.quality_page import scene

if TYPE_CHECKING:
    from tests.plugins.quality_page.conftest import Page


def gets(page: Page) -> list[str]:
    return [asked for asked in page.s3.asked if asked.startswith("GET")]


def test_what_has_not_changed_is_not_read_again(page: Page) -> None:
    page.html()
    read = len(gets(page))
    assert read == len([key for key in page.s3.objects if key.startswith("ops/quality/")])

    page.html()
    page.html(f"tables/{scene.ORDERS}")
    assert len(gets(page)) == read

    page.s3.put(
        summary.key(scene.ORDERS),
        scene.months(scene.ORDERS, datetime.now(UTC), scene.result(scene.ORDERS, datetime.now(UTC))),
    )
    page.html()
    assert gets(page)[read:] == [f"GET {summary.key(scene.ORDERS)}"]


def test_memory_of_the_cache_is_bounded(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    from quality_page import lake

    source = lake.Lake(page.s3, "lake")
    monkeypatch.setattr(lake, "CACHED_BYTES", 2 * len(page.s3.objects[summary.key(scene.ORDERS)]))

    found = source.summaries()

    assert len(found) > 3, "all are given"
    assert sum(len(body) for _, body in source._known.values()) <= lake.CACHED_BYTES


def test_object_that_is_gone_is_forgotten(page: Page) -> None:
    from quality_page import lake

    source = lake.Lake(page.s3, "lake")
    source.summaries()
    del page.s3.objects[summary.key(scene.ORDERS)]

    assert scene.ORDERS not in source.summaries()
    assert summary.key(scene.ORDERS) not in source._known


def test_page_after_a_year_takes_under_a_second_and_under_100_mb(page: Page) -> None:
    """Sixty tables of 25 rules, judged 96 times a day for a year: their results are beside, and are not read."""
    rules = {f"critical column_{number} match_regex": [96, number % 2] for number in range(25)}
    year = scene.months(scene.ORDERS, datetime.now(UTC))
    for kinds in year["days"].values():
        kinds["results"]["rules"] = rules
    entries = summary.registry()["pipelines"][0]["tables"]
    many = [{**entries[0], "name": f"silver.table_{number}", "judged": True} for number in range(60)]
    registry = summary.registry()
    registry["pipelines"][0]["tables"] = many
    page.s3.put(summary.REGISTRY, registry)
    for entry in many:
        page.s3.put(summary.key(entry["name"]), {**year, "table": entry["name"]})
    assert len(page.s3.objects[summary.key("silver.table_1")]) > 80_000

    def took(path: str) -> float:
        begun = time.process_time()
        assert "<h1>" in page.html(path)
        return time.process_time() - begun

    cold, warm, one = took(""), took(""), took("tables/silver.table_1")
    tracemalloc.start()
    assert page.html().count("<tr") > 60
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    print(f"overview of 60 tables: {cold:.2f} s, again {warm:.2f} s, {most / 1e6:.0f} MB; a table: {one:.3f} s")
    assert max(cold, warm, one) < 1.0
    assert most < 100e6


@pytest.mark.parametrize(
    "key",
    [
        "ops/quality/registry.json",
        "gold/quality/day=2026-11-29/orders/../../x.json",
        "gold/quality/day=2026-11-29/orders/20261129_000000.json\n",
    ],
)
def test_only_results_are_given_out(page: Page, key: str) -> None:
    from quality_page import lake

    page.s3.put(key, {})
    assert lake.Lake(page.s3, "lake").result(key) is None


def test_object_too_large_to_be_ours_is_left_out(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    from quality_page import lake

    monkeypatch.setattr(lake, "LARGEST", 1000)

    assert list(lake.Lake(page.s3, "lake").summaries()) == []


def test_environment_without_a_lake_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from quality_page import lake

    monkeypatch.delenv("SLUICE_LAKE_BUCKET", raising=False)
    with pytest.raises(lake.LakeAwayError, match="SLUICE_LAKE_BUCKET"):
        lake.of_environment()
    assert json.dumps(summary.registry())
