"""What the pages show, and what they never do."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dq import summary
from jobs.lake import tables
from tests.plugins.quality_page import scene
from tests.plugins.quality_page.scene import FACTS, ORDERS

if TYPE_CHECKING:
    from tests.plugins.quality_page.conftest import Page

PACKAGE = Path(__file__).resolve().parents[3] / "plugins" / "quality_page"
NOW = datetime.now(UTC)


class Elements(HTMLParser):
    """The elements and attributes that a browser sees."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def text(html: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def row(html: str, table: str) -> str:
    """The words of a table's row in the overview."""
    (found,) = [part for part in html.split('<tr role="row">') if f'scope="row"><a href="tables/{table}"' in part]
    return text(found)


def judge(page: Page, table: str, *failures: object, **other: object) -> str:
    """Lets a gate judge the table now; returns the result's key."""
    named = scene.result(table, datetime.now(UTC), *failures, **other)
    page.s3.put(*named)
    page.s3.put(summary.key(table), scene.months(table, NOW, named))
    return named[0]


def test_overview_lists_every_table_of_the_registry_in_its_order(page: Page) -> None:
    html = page.html()

    listed = re.findall(r'scope="row"><a href="tables/([\w.]+)"', html)
    assert listed == [table.name for table in tables.every()]


def test_row_tells_verdict_freshness_rows_quarantine_and_balance(page: Page) -> None:
    html = page.html()

    orders = row(html, ORDERS)
    assert re.search(r"✓ Passed 3\d min ago", orders)
    judged = json.loads(page.s3.objects[summary.key(ORDERS)])["validated"]["results"]
    (newest,) = [each["observed"]["observed_value"] for each in judged if each["rule"] == scene.AGE[1]]
    assert f"{newest[:10]} {newest[11:16]} 2 h ago" in orders
    assert "1,204,331 12 \N{EN DASH} ✓ Balanced" in orders
    assert "○ Not judged yet" in row(html, "gold.dim_customers")
    assert re.search(r"○ No rules .* 14 ✓ Balanced", row(html, scene.EVENTS)), "two dead letters on each of seven days"


def test_planted_failure_shows_at_the_next_request(page: Page) -> None:
    assert f"None of {len(tables.every())} tables needs a look." in text(page.html())

    judge(page, ORDERS, scene.doubled(NOW, "O-17"))
    html = page.html()

    assert f"1 of {len(tables.every())} tables needs a look." in text(html)
    assert "■ Refused" in row(html, ORDERS)
    assert "critical order_id be_unique 2 of 1,200 rows (0.17 %)" in text(html)
    own = text(page.html(f"tables/{ORDERS}"))
    assert "Failing now critical order_id be_unique 2 of 1,200 rows (0.17 %) a doubled order doubles its revenue" in own
    assert "order_id O-17" in own


def test_warning_is_told_from_a_refusal(page: Page) -> None:
    judge(page, FACTS, scene.metal(NOW))

    html = page.html("?show=attention")

    assert "▲ Warned" in row(html, FACTS)
    assert f'scope="row"><a href="tables/{ORDERS}"' not in html


def test_rule_that_could_not_be_judged_says_so(page: Page) -> None:
    judge(page, ORDERS, scene.judged(scene.CODE, NOW, success=False, error="[UNRESOLVED_COLUMN] currency"))

    assert "It could not be judged: [UNRESOLVED_COLUMN] currency" in text(page.html(f"tables/{ORDERS}"))
    assert "■ Refused" in row(page.html(), ORDERS)


def test_lost_rows_are_told_with_their_number(page: Page) -> None:
    faults = {"commits": 1, "faults": "version 41: 9 read, 7 accounted for: 2 missing"}
    judge(page, ORDERS, scene.judged(scene.CONSERVATION, NOW, success=False, observed=faults))

    assert "■ Broken" in row(page.html(), ORDERS)
    assert "2 missing" in text(page.html(f"tables/{ORDERS}"))


def test_rules_show_twelve_weeks_with_what_failed_first(page: Page) -> None:
    judge(page, ORDERS, scene.metal(NOW))
    html = page.html(f"tables/{ORDERS}")

    names = re.findall(r'scope="row"><span class="rule">([^<]+)', html)
    assert names[0] == "currency not_match_regex"
    assert set(names) == {rule[1] for rule in scene.RULES}
    bad = (NOW - timedelta(days=45, minutes=30)).date()
    assert f'aria-label="order_id be_unique: failed on 1 of 80 days, last on {bad} it was judged"' in html
    assert text(html).count("▲ Fails") == 1


def test_weeks_have_their_rates_as_charts_and_as_figures(page: Page) -> None:
    html = page.html(f"tables/{ORDERS}")

    assert re.search(r'aria-label="Pass rate by week: lowest 9\d\.\d\d %, highest 100 %, newest 100 %"', html)
    assert re.search(r'aria-label="Quarantine rate by week: lowest [\d.]+ %, highest [\d.]+ %', html)
    assert len(re.findall(r'<tr><th scope="row">\d{4}-\d\d-\d\d', html)) == 12


def test_runs_versions_and_results_are_linked(page: Page) -> None:
    key = judge(page, ORDERS)

    html = page.html(f"tables/{ORDERS}")

    run = r"\.\./\.\./dags/daily_lakehouse/runs/scheduled__[\dT-]+%3A\d\d%3A\d\d%2B00%3A00/tasks/gate\.silver"
    assert re.search(rf'data-airflow href="{run}"', html)
    assert "Version judged" in text(html)
    assert f'href="../{key.replace("gold/quality", "results")}"' in html
    shown = page.html(key.replace("gold/quality", "results"))
    assert "&#34;table_name&#34;: &#34;silver.orders&#34;" in shown
    assert page.json(key.replace("gold/quality", "results")) == json.loads(page.s3.objects[key])
    assert page.json(f"tables/{ORDERS}/summary.json") == json.loads(page.s3.objects[summary.key(ORDERS)])


def test_run_that_a_person_started_has_no_link(page: Page) -> None:
    judge(page, ORDERS, dag_id="by_hand", run_id="manual__1")

    assert "by_hand manual__1" in text(page.html(f"tables/{ORDERS}"))
    assert "dags/by_hand" not in page.html(f"tables/{ORDERS}")


def test_dags_page_shows_the_tables_of_its_pipeline(page: Page) -> None:
    assert ORDERS in page.html("?dag=orders_refresh")
    assert "No table is built by the DAG another_dag." in text(page.html("?dag=another_dag"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tables/silver.nothing", "The registry has no table silver.nothing."),
        ("tables/registry", "The registry has no table registry."),
        ("results/day=2026-11-29/orders/20261129_000000.json", "ops.dq_results"),
        ("results/day=2026-11-29/..%2F..%2Fops/registry.json", "Not found"),
        ("nothing/of/the/kind", "Not found"),
    ],
)
def test_what_is_not_there_is_said(page: Page, path: str, said: str) -> None:
    assert said in text(page.html(path, 404))
    assert not any("registry.json" in asked and asked.startswith("GET gold") for asked in page.s3.asked)


def test_lake_before_its_first_run_says_what_to_do(page: Page) -> None:
    page.s3.objects.clear()

    assert "run its DAG once" in text(page.html())


def test_lake_that_is_away_is_told_without_its_address(page: Page) -> None:
    page.s3.away = True

    html = page.html(status=503)

    assert "The lake can&#39;t be read" in html
    assert "EndpointConnectionError" in html
    assert "127.0.0.1" not in html


def test_everything_from_the_lake_is_escaped(page: Page) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    judge(
        page, ORDERS,
        {**scene.doubled(NOW, evil), "rule": evil, "why": evil, "observed": {evil: evil}},
        dag_id=evil, run_id=evil,
    )  # fmt: skip

    for path in ("", f"tables/{ORDERS}", "?dag=" + evil):
        html = page.html(path)
        found = Elements()
        found.feed(html)
        assert "img" not in found.tags
        assert found.attributes.isdisjoint({"onerror", "style"})


def test_browser_is_told_to_load_nothing_from_elsewhere(page: Page) -> None:
    answer = page.client.get("/quality/", headers={"accept": "text/html"})

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    html = answer.text
    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []
    assert " style=" not in html, "the policy refuses it"
    assert re.findall(r"<script(?! src=\"static/page.js\")", html) == []
    for name in ("page.css", "page.js"):
        assert page.client.get(f"/quality/static/{name}").status_code == 200
        assert "//" not in re.sub(r"//[^\n]*|/\*.*?\*/", "", (PACKAGE / "static" / name).read_text(), flags=re.S)
