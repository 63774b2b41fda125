"""A run is (DAG, run id): at midnight, Airflow gives runs of all DAGs one run id, and nothing of theirs may mix."""

from __future__ import annotations

from itertools import product

import pytest

from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from jobs.lake.tables import PIPELINES, UPKEEP

DAGS = [s.dag_id for p in PIPELINES for s in (p.schedule, p.streams, p.refresh) if s]
DAGS += [upkeep.schedule.dag_id for upkeep in UPKEEP]
KINDS = ("scheduled", "manual", "backfill")  # what Airflow's DagRunType puts before the time
RUNS = [Run(f"{kind}__2026-10-01T00:00:00+00:00", "gate", dag_id=dag) for dag, kind in product(DAGS, KINDS)]


def test_every_dag_is_tried() -> None:
    assert len(DAGS) > 2
    assert len({run.run_id for run in RUNS}) < len(RUNS), "no two DAGs share a run id: the test shows nothing"


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_commit_is_of_the_run_that_made_it_and_of_no_other(run: Run) -> None:
    record = CommitRecord.of(run)

    assert [other for other in RUNS if record.is_of(other)] == [run]


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_verdict_is_of_the_run_whose_gate_passed_and_of_no_other(lake: str, run: Run) -> None:
    gate_verdicts.record_passed(run, {"silver.orders": 7})

    for other in (one for one in RUNS if one != run):
        gate_verdicts.take_back(other)
        with pytest.raises(GateError, match="has passed no version"):
            gate_verdicts.passed_versions(other, ("silver.orders",))
    assert gate_verdicts.passed_versions(run, ("silver.orders",)) == {"silver.orders": 7}
