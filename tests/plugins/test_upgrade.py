"""Tasks that were deferred, and DAG runs that were active, under release 0.1 go on: its class paths can be resolved.

Delete this file together with `plugins/emr_trigger.py` and `plugins/bounded_timetable.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests import airflow_home

PLUGINS = airflow_home.REPOSITORY / "plugins"
# What release 0.1 has put into the database: `EmrJobTrigger.serialize()`, and a DAG's timetable.
TRIGGER = {
    "application_id": "00app",
    "job_id": "00run",
    "deadline": 1234.5,
    "earliest": 234.5,
    "region_name": "eu-west-1",
    "botocore_config": {"read_timeout": 5},
    "aws_conn_id": None,
    "verify": None,
}
TIMETABLE = {
    "__type": "bounded_timetable.BoundedTimetable",
    "__var": {"expression": "0 0 * * *", "first": "2026-11-17", "last": "2026-11-19"},
}


def test_triggerer_builds_a_trigger_of_the_release_before_from_its_row(tmp_path: Path) -> None:
    code = f"""
from airflow import plugins_manager

plugins_manager.get_import_errors()  # the manager has loaded the file first, under the same name
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.models.trigger import Trigger
from airflow.serialization.decoders import smart_decode_trigger_kwargs

kwargs = {TRIGGER!r}
row = Trigger(classpath="emr_trigger.EmrJobTrigger", kwargs=kwargs)
stored = Trigger._decrypt_kwargs(row.encrypted_kwargs)
given = {{name: smart_decode_trigger_kwargs(value) for name, value in stored.items()}}
made = TriggerRunner().get_trigger_by_classpath(row.classpath)(**given)
assert made.serialize() == ("sluice_airflow.emr.trigger.EmrJobTrigger", kwargs), made.serialize()
print("built")
"""
    assert airflow_home.run_bare(code, tmp_path, path=PLUGINS).splitlines()[-1] == "built"


def test_unknown_name_of_the_former_module_is_refused(tmp_path: Path) -> None:
    code = """
import emr_trigger

try:
    emr_trigger.Nonsense
except AttributeError as error:
    print(error)
"""
    said = airflow_home.run_bare(code, tmp_path, path=PLUGINS)
    assert "module 'emr_trigger' has no attribute 'Nonsense'" in said


def test_dag_that_the_release_before_has_serialised_is_read_with_its_schedule(tmp_path: Path) -> None:
    code = f"""
import json
from airflow.serialization.serialized_objects import DagSerialization

now = DagSerialization.to_dict(bag.dags["daily_lakehouse"])
assert now["dag"]["timetable"]["__type"] == "sluice_airflow.bounded_timetable.BoundedTimetable"
before = json.loads(json.dumps(now))
before["dag"]["timetable"] = json.loads({json.dumps(TIMETABLE)!r})
dag, info = DagSerialization.from_dict(before), None
while info := dag.next_dagrun_info(last_automated_run_info=info):
    assert info.data_interval.start.year == 2026, info
    print('interval', info.data_interval.start.date())
assert dag.timetable.serialize() == before["dag"]["timetable"]["__var"]
"""
    lines = airflow_home.parse_bare(code, tmp_path).splitlines()
    days = [line.split()[1] for line in lines if line.startswith("interval")]
    assert days == ["2026-11-17", "2026-11-18", "2026-11-19"]
