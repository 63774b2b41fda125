"""A job's lineage: the specification's form, the versions that were read and written, and no value of data."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from openlineage.client.event_v2 import RunState
from openlineage.client.serde import Serde

from dq import summary
from jobs import run as run_py
from jobs.lake import errors, settings
from jobs.lake.delta.commit_record import Counts
from jobs.lake.run import Run, utc
from jobs.lake.state import objects
from jobs.lineage.events import Lineage
from jobs.lineage.keeping import FOLDER
from tests.jobs.lakehouse import ORDERS, add, at, good_rows, order, silver_order
from tests.jobs.lineage.specification import facets, faults

SILVER, FACTS, RATES = "silver.orders", "gold.fact_orders", "silver.fx_rates"
DAY = {"dag_id": "daily", "job": "daily/silver 1"}
PARENT = "sluice/daily.silver.orders/01a2b3c4-0000-7000-8000-000000000001"


def commit(table: str, rows: list[dict[str, Any]], run_id: str = "r1", step: str = "", **record: Any) -> int:
    counts = vars(Counts(len(rows), len(rows)))
    return add(table, rows, run_id=run_id, dag_id="daily", step=step or table, counts=counts, **record)


def bronze(run_id: str = "r1") -> int:
    lineage = {"_batch_id": "b1", "_source": "snowflake/orders", "_ingested_at": at("2026-10-02")}
    return commit(ORDERS, [{**order("O1"), **lineage}], run_id, source="snowflake/orders", batch_id="b1")


def said(lineage: Lineage, state: RunState, error: BaseException | None = None) -> dict[str, Any]:
    """The event as it is written; it keeps the specification."""
    found: dict[str, Any] = json.loads(Serde.to_json(lineage.event(state, error)))
    assert faults(found) == []
    return found


def names(datasets: list[dict[str, Any]]) -> dict[str, str]:
    return {
        f"{each['namespace']}/{each['name']}": each["facets"].get("version", {}).get("datasetVersion", "")
        for each in datasets
    }


def test_silver_names_the_versions_that_it_read_and_wrote(lake: str) -> None:
    read = bronze()
    lineage = Lineage(Run("r1", SILVER, lineage_parent=PARENT, **DAY))
    wrote = commit(SILVER, [silver_order("O1")], inputs={ORDERS: read}, read_by_source={ORDERS: 1})

    found = said(lineage, RunState.COMPLETE)

    root = settings.lake().root
    assert names(found["inputs"]) == {f"{root}/bronze/snowflake_orders": str(read)}
    assert names(found["outputs"]) == {f"{root}/silver/orders": str(wrote)}
    assert found["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 1
    (output,) = found["outputs"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 1
    columns = {field["name"]: field for field in output["facets"]["schema"]["fields"]}
    assert (columns["amount"]["type"], columns["order_date"]["type"]) == ("decimal(18,2)", "date")
    assert output["facets"]["ownership"]["owners"][0]["name"] == "data-platform"
    parent = found["run"]["facets"]["parent"]
    assert f"{parent['job']['namespace']}/{parent['job']['name']}/{parent['run']['runId']}" == PARENT
    assert found["job"]["name"] == SILVER
    assert found["job"]["facets"]["jobType"]["processingType"] == "BATCH"


def test_bronze_names_its_source(lake: str) -> None:
    window = {"window_start": utc("2026-10-01"), "window_end": utc("2026-10-02")}
    lineage = Lineage(Run("r1", ORDERS, **window, **DAY))
    bronze()

    found = said(lineage, RunState.COMPLETE)

    assert names(found["inputs"]) == {"snowflake/orders": ""}
    assert found["run"]["facets"]["nominalTime"]["nominalEndTime"] == "2026-10-02T00:00:00+00:00"


def test_gold_names_the_columns_that_its_keys_come_from(lake: str) -> None:
    read = {SILVER: commit(SILVER, [silver_order("O1")]), RATES: commit(RATES, good_rows(RATES))}
    lineage = Lineage(Run("r1", FACTS, **DAY))
    commit(FACTS, good_rows(FACTS), inputs=read)

    (output,) = said(lineage, RunState.COMPLETE)["outputs"]

    (field,) = output["facets"]["columnLineage"]["fields"]["order_id"]["inputFields"]
    assert (field["name"], field["field"]) == ("silver/orders", "order_id")


def test_commits_of_others_are_not_told(lake: str) -> None:
    bronze()
    commit(SILVER, [silver_order("O1")], inputs={ORDERS: 1})
    lineage = Lineage(Run("r2", SILVER, **DAY))
    commit(SILVER, [silver_order("O2")], run_id="r3", inputs={ORDERS: 1})
    commit(SILVER, [silver_order("O3")], run_id="r2", step="quarantine.replay", inputs={ORDERS: 1})

    found = said(lineage, RunState.COMPLETE)

    assert (found["inputs"], found["outputs"]) == ([], [])


def test_commit_of_an_earlier_try_is_not_told_again(lake: str) -> None:
    commit(SILVER, [silver_order("O1")])
    lineage = Lineage(Run("r1", SILVER, **DAY), begun=at("2999-01-01"))

    assert said(lineage, RunState.COMPLETE)["outputs"] == []


@pytest.mark.parametrize(("run_id", "told"), [("r1", 1), ("r2", 0)])
def test_gate_names_what_it_judged_and_how_each_rule_did(lake: str, run_id: str, told: int) -> None:
    at_version = commit(SILVER, [silver_order("O1")])
    rules = [
        {"rule": "order_id be_unique", "severity": "critical", "success": True},
        {"rule": "row_count be_between", "severity": "warning", "success": False},
    ]
    validated = {"dag_id": "daily", "run_id": run_id, "version": at_version, "results": rules}
    objects.write_json(summary.key(SILVER), {**summary.empty(SILVER), "validated": validated})

    found = said(Lineage(Run("r1", "gate", subject="lakehouse", **DAY)), RunState.COMPLETE)

    assert len(found["inputs"]) == told
    for judged in found["inputs"]:
        assert judged["facets"]["version"]["datasetVersion"] == str(at_version)
        assert [(rule["assertion"], rule["success"], rule["severity"])
                for rule in judged["inputFacets"]["dataQualityAssertions"]["assertions"]] == [
            ("order_id be_unique", True, "error"), ("row_count be_between", False, "warn"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.SchemaContractError("silver.orders: amount is text"), "SchemaContractError: silver.orders: amount is"),
        (errors.GateError("row of Jane Doe", brief="the gate refuses"), "GateError: the gate refuses"),
        (ValueError("Jane Doe"), "ValueError"),
    ],
)
def test_failure_says_what_an_alert_may_say(lake: str, error: Exception, told: str) -> None:
    found = said(Lineage(Run("r1", SILVER, **DAY)), RunState.FAIL, error)

    message = found["run"]["facets"]["errorMessage"]["message"]
    assert message.startswith(told)
    assert "Jane Doe" not in json.dumps(found)


def test_check_by_the_specification_finds_faults(lake: str) -> None:
    bronze()
    lineage = Lineage(Run("r1", ORDERS, **DAY))
    good = said(lineage, RunState.START)
    assert len(list(facets(good))) == 2
    for path, value in [(("eventTime",), "yesterday"), (("run", "runId"), 5), (("job",), {"name": "x"})]:
        bad = deepcopy(good)
        place = bad
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        assert faults(bad), path
    unknown = deepcopy(good)
    unknown["job"]["facets"]["jobType"]["processingType"] = 7
    assert faults(unknown)


def refuse(event: object) -> None:
    """A lake that takes nothing."""
    raise ConnectionError("no lake for Jane Doe")


def test_job_run_tells_its_start_and_its_end(
    lake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def events() -> list[str]:
        return sorted(json.loads(objects.read(key))["eventType"] for key in objects.keys(FOLDER))

    def fail(run: Run) -> None:
        raise errors.ConfigurationError("no lake")

    monkeypatch.setattr(run_py, "perform", lambda run: None)
    assert run_py.main(["gate", "lakehouse", "--job", "j1", "--lineage-parent", PARENT]) == 0
    assert events() == ["COMPLETE", "START"]
    assert run_py.main(["gate", "lakehouse"]) == 0
    assert run_py.main(["maintenance.optimize_vacuum", "--job", "j2", "--dry-run"]) == 0
    assert len(events()) == 2, "no event of a shell, nor of a dry run"
    monkeypatch.setattr(run_py, "perform", fail)
    assert run_py.main(["gate", "lakehouse", "--job", "j3"]) != 0
    assert events() == ["COMPLETE", "FAIL", "START", "START"]

    monkeypatch.setattr("jobs.lineage.keeping.keep", refuse)
    monkeypatch.setattr(run_py, "perform", lambda run: None)
    assert run_py.main(["gate", "lakehouse", "--job", "j4"]) == 0, "who collects lineage stops no step"
    out = capsys.readouterr().out
    assert "lineage: COMPLETE could not be told: ConnectionError" in out
    assert "Jane Doe" not in out
