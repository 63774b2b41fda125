"""What holds for every DAG, also for those that are added later."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.pools import pools
from jobs.lake import tables as registry
from sluice_airflow.alerts.callbacks import run_failed, run_succeeded, task_failed, task_succeeded
from sluice_airflow.alerts.deadline import time_limit
from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY
from tests.airflow_home import REPOSITORY, parse_bare

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline, Schedule, Upkeep

JOB_SIDE = (
    "pyspark",
    "delta",
    "deltalake",
    "great_expectations",
    "snowflake",
    "simple_salesforce",
    "pandas",
    "confluent_kafka",
    "babel",
)
OWN: dict[str, tuple[Pipeline | Upkeep, Schedule]] = {
    s.dag_id: (p, s) for p in registry.PIPELINES for s in (p.schedule, p.streams, p.refresh) if s
}
OWN |= {upkeep.schedule.dag_id: (upkeep, upkeep.schedule) for upkeep in registry.UPKEEP}
BY_HAND = {"canary", "emergency_stop", "restore_table"}  # of no pipeline, and without a schedule
NEEDED = {"emergency_stop": {"who", "why"}}  # what a person must fill in before anything can start
LONGEST_PARSE = 20.0  # seconds for all DAGs on a busy laptop; Airflow gives up after 30 for each file


def test_every_file_of_dags_gives_a_dag_and_nothing_else_is_read(bag: DagBag) -> None:
    read = {Path(dag.fileloc) for dag in bag.dags.values()}
    assert read == set((REPOSITORY / "dags").glob("*.py"))
    assert read


def test_no_dag_fails_to_import(bag: DagBag) -> None:
    assert bag.import_errors == {}


def test_dag_is_named_as_its_file(bag: DagBag) -> None:
    assert [Path(dag.fileloc).stem for dag in bag.dags.values()] == list(bag.dags)


def test_every_schedule_of_the_registry_has_its_dag_and_no_other_dag_exists(bag: DagBag) -> None:
    assert set(bag.dags) == OWN.keys() | BY_HAND


@pytest.mark.parametrize("path", sorted((REPOSITORY / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_dag_file_is_its_docstring_and_one_call(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) < 100
    docstring, *rest = ast.parse(source).body
    (made,) = [statement for statement in rest if not isinstance(statement, ast.ImportFrom)]
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    assert isinstance(made, ast.Assign)
    assert isinstance(made.value, ast.Call)


def test_dag_has_what_its_row_in_the_registry_says(bag: DagBag) -> None:
    for dag_id, (pipeline, schedule) in OWN.items():
        dag = bag.dags[dag_id]
        assert dag.description == schedule.description
        assert dag.timetable.summary == schedule.cron
        assert pipeline.name in dag.tags


def test_dag_that_is_no_pipelines_runs_by_hand_only(bag: DagBag) -> None:
    assert {bag.dags[dag_id].schedule for dag_id in BY_HAND} == {None}


def test_parsing_is_fast(bag: DagBag, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = sum(stat.duration.total_seconds() for stat in bag.dagbag_stats)
    with capsys.disabled():
        print(f"\nDAG files parsed in {seconds:.2f} s: {len(bag.dagbag_stats)}")
    assert seconds < LONGEST_PARSE


def test_dag_says_what_it_does_and_whose_it_is(bag: DagBag) -> None:
    owners = {table.name: table.owner for table in registry.every()}
    for dag in bag.dags.values():
        assert dag.doc_md, f"{dag.dag_id} has no doc_md"
        assert dag.description, f"{dag.dag_id} has no description"
        assert dag.tags, f"{dag.dag_id} has no tags"
        for task in dag.tasks:
            of = {getattr(task, "step", ""), getattr(task, "subject", "")} & owners.keys()
            known = {owners[name] for name in of} or {
                OWN[dag.dag_id][0].owner if dag.dag_id in OWN else registry.PLATFORM
            }
            assert {task.owner} == known, task


def test_task_retries_with_growing_pauses_and_ends_in_time(bag: DagBag) -> None:
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.retries >= 1, task
            assert task.retry_exponential_backoff > 1, task
            assert task.max_retry_delay, task
            assert task.execution_timeout, task


def test_task_that_writes_a_table_waits_in_the_tables_pool(bag: DagBag) -> None:
    tables = {table.name for table in registry.every() if table.written_with is None}
    writers = [task for dag in bag.dags.values() for task in dag.tasks if getattr(task, "step", None) in tables]
    assert {task.step for task in writers} == tables
    assert {(task.step, task.pool) for task in writers} == {(name, name) for name in tables}


def test_every_pool_that_a_task_names_is_made_by_the_deployment(bag: DagBag) -> None:
    named = {task.pool for dag in bag.dags.values() for task in dag.tasks}
    assert named - {"default_pool"} <= pools().keys()


def test_dag_has_tasks_on_every_date(bag: DagBag) -> None:
    # Airflow gives a run that is dated outside of a task's dates no such task, and calls it a success.
    for dag in bag.dags.values():
        assert dag.end_date is None, f"{dag.dag_id}: bound its schedule by BoundedTimetable"
        assert dag.start_date == NEVER_TOO_EARLY, f"{dag.dag_id}: bound its schedule by BoundedTimetable"
        for task in dag.tasks:
            assert (task.start_date, task.end_date) == (NEVER_TOO_EARLY, None), task


@pytest.mark.parametrize("catchup", ["True", "False"])
def test_dag_leaves_neither_catchup_nor_concurrency_to_the_configuration(
    catchup: str, bag: DagBag, tmp_path: Path
) -> None:
    other = {"AIRFLOW__SCHEDULER__CATCHUP_BY_DEFAULT": catchup, "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "7"}
    code = "import json; print(json.dumps({i: [d.catchup, d.max_active_runs] for i, d in bag.dags.items()}))"
    found = json.loads(parse_bare(code, tmp_path, extra=other).splitlines()[-1])
    assert found == {dag.dag_id: [dag.catchup, dag.max_active_runs] for dag in bag.dags.values()}
    assert {runs for _, runs in found.values()} == {1}


def test_dags_of_two_pipelines_share_no_tables_pool_and_no_asset(bag: DagBag) -> None:
    users: dict[str, set[str]] = {}
    for dag_id in OWN:
        for task in bag.dags[dag_id].tasks:
            for name in {task.pool, *(asset.name for asset in (*task.inlets, *task.outlets))} - {"default_pool"}:
                users.setdefault(name, set()).add(OWN[dag_id][0].name)
    assert {name: pipelines for name, pipelines in users.items() if len(pipelines) > 1} == {}


def test_dags_parse_without_any_variable_connection_or_setting(tmp_path: Path) -> None:
    # Airflow's database does not even exist there: whoever asks it for a Variable or connection fails.
    parse_bare("", tmp_path)


def test_dags_parse_where_the_job_side_is_not_installed(tmp_path: Path) -> None:
    block = f"import sys\nfor name in {JOB_SIDE}: sys.modules[name] = None\n"
    parse_bare("", tmp_path, before=block)


def test_every_dag_and_every_task_has_its_alerts(bag: DagBag) -> None:
    for dag in bag.dags.values():
        assert dag.on_failure_callback is run_failed
        assert dag.on_success_callback is run_succeeded
        limits = [deadline.interval for deadline in dag.deadline or []]
        assert limits == ([time_limit(OWN[dag.dag_id][1].cron)] if dag.dag_id in OWN else []), dag.dag_id
        for task in dag.tasks:
            assert [*task.on_failure_callback] == [task_failed], task
            assert [*task.on_success_callback] == [task_succeeded], task
            assert not task.on_retry_callback, f"{task}: a retry that will follow is no alert"


def test_form_asks_for_nothing_that_is_not_always_needed(bag: DagBag) -> None:
    """Airflow's form lets nobody start a run while a text that can't be null is empty."""
    empty = {
        dag.dag_id: {name for name in dag.params if dag.params[name] == "" and _schema(dag, name) == "string"}
        for dag in bag.dags.values()
    }
    assert {dag: fields for dag, fields in empty.items() if fields} == NEEDED


def _schema(dag: DAG, name: str) -> object:
    return dag.params.get_param(name).schema.get("type")
