"""Pre-initialised drivers: the same as cold ones for a job, and nothing of a job is left for the next."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from deltalake import write_deltalake
from pyarrow import table as arrow_table

from infra.local.polling import wait_until
from tests.infra.local.aws.stand_in import Jobs, Server, gone, start_server

SLEEP = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"
JVM = """
import json
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
jvm = spark.sparkContext._jvm
print("JVM", jvm.ProcessHandle.current().pid(), flush=True)
"""
JVM = JVM.replace("jvm.ProcessHandle", "jvm.java.lang.ProcessHandle")
STOP = "\nspark.stop()\n"
# Everything that a driver has from its surroundings.
SEEN = (
    JVM
    + """
import os, sys
surroundings = {
    "conf": dict(spark.sparkContext.getConf().getAll()),
    "properties": {str(k): str(v) for k, v in dict(jvm.System.getProperties()).items()},
    "environment": dict(os.environ), "folder": os.getcwd(), "path": sys.path, "arguments": sys.argv,
    "views": [view.name for view in spark.catalog.listTables()], "niceness": os.nice(0),
    "cached": spark.sparkContext._jsc.getPersistentRDDs().size(),
    "own": sorted(name for name in sys.modules if name.startswith("infra")),
    "zone": str(jvm.java.util.TimeZone.getDefault().getID()), "patched": hasattr(json, "patched"),
    "level": str(jvm.org.apache.logging.log4j.LogManager.getRootLogger().getLevel()),
    "hadoop": spark.sparkContext._jsc.hadoopConfiguration().get("fs.s3a.access.key"),
}
print("SEEN", json.dumps(surroundings))
"""
    + STOP
)
SPOILT = (
    JVM
    + """
import builtins, os, sys, types
from pyspark.sql import functions as F
spark.range(5).cache().createOrReplaceTempView("left_over")
spark.table("left_over").count()
spark.conf.set("spark.sql.shuffle.partitions", "77")
jvm.System.setProperty("spark.sql.shuffle.partitions", "78")
jvm.System.setProperty("aws.accessKeyId", "other")
spark.sparkContext._jsc.hadoopConfiguration().set("fs.s3a.access.key", "other")
spark.sparkContext.setLogLevel("TRACE")
spark.sparkContext.setLogLevel("OFF")
jvm.java.util.TimeZone.setDefault(jvm.java.util.TimeZone.getTimeZone("Asia/Tokyo"))
os.environ["LEFT"] = "over"
os.chdir("/")
sys.path.insert(0, "/nowhere")
sys.modules["infra_left"] = types.ModuleType("infra_left")
json.patched = True
"""
    + STOP
)
READ = (
    JVM
    + "import sys\nprint('ROWS', sorted(row[0] for row in spark.read.format('delta').load(sys.argv[1]).collect()))"
    + STOP
)


@pytest.fixture(scope="module")
def cold(server: Server) -> Jobs:
    return Jobs(server)


@pytest.fixture(scope="module")
def warm(server: Server) -> Iterator[Jobs]:
    """An application with one warm driver."""
    jobs = of_application(server, "warm", drivers=1)
    yield jobs
    jobs.emr.stop_application(applicationId=jobs.application)


def of_application(server: Server, name: str, drivers: int, **auto_stop: Any) -> Jobs:
    jobs = Jobs(server)
    jobs.application = jobs.emr.create_application(
        name=name,
        releaseLabel="emr-spark-8.1.0",
        type="SPARK",
        clientToken=name,
        initialCapacity={
            "DRIVER": {"workerCount": drivers, "workerConfiguration": {"cpu": "1 vCPU", "memory": "2 GB"}}
        },
        autoStopConfiguration=auto_stop or {"enabled": False},
    )["applicationId"]
    jobs.emr.start_application(applicationId=jobs.application)
    return jobs


def printed(jobs: Jobs, word: str, program: str, *arguments: str, **request: Any) -> str:
    """What a program that succeeds prints after a word."""
    run = jobs.start(program, *arguments, **request)
    ended = jobs.wait(run)
    assert ended["state"] == "SUCCESS", ended["stateDetails"] + jobs.log(run)
    (found,) = re.findall(rf"^{word} (.*)$", jobs.log(run), re.MULTILINE)
    return str(found)


def surroundings(jobs: Jobs) -> dict[str, Any]:
    """What a driver sees, without what differs between any two drivers."""
    parameters = "--conf spark.emr-serverless.driverEnv.LAYER=gold --conf spark.sql.shuffle.partitions=7"
    text = printed(jobs, "SEEN", SEEN, "a b", parameters=parameters)
    text = re.sub(r"/emr/\w+/\w+", "/emr/APPLICATION/RUN", text)
    seen: dict[str, Any] = json.loads(re.sub(r"00[0-9a-f]{14}", "RUN", text))
    own = r"spark\.(app\.(id|startTime|submitTime|initial.*)|driver\.port|local\.dir|repl\..*|ui\.showConsole.*)"
    started = r"SPARK_(ENV_LOADED|BEELINE_OPTS|SCALA_VERSION|CONF_DIR)|PYTHON(PATH|HASHSEED|UNBUFFERED)|MASTER"
    for part, names in {
        "conf": own,
        "properties": rf"{own}|spark\.app\..*|sun\.java\.command|user\.dir|java\.class\.path|jetty\.git\.hash",
        "environment": rf"_?PYSPARK_(GATEWAY|DRIVER_CONN)_\w+|{started}|OLDPWD|_|PWD|SHLVL",
    }.items():
        seen[part] = {name: value for name, value in seen[part].items() if not re.fullmatch(names, name)}
    # A cold driver has PySpark once more, by its PYTHONPATH; each session has a folder of its own.
    seen["path"] = [path for path in seen["path"] if not re.search(r"/pyspark/|/userFiles-", path)]
    return seen


def test_warm_driver_sees_what_a_cold_one_sees(cold: Jobs, warm: Jobs) -> None:
    expected, found = surroundings(cold), surroundings(warm)
    for part in expected:
        assert found[part] == expected[part], part


def test_nothing_of_a_job_is_left_for_the_next(warm: Jobs) -> None:
    before, first = surroundings(warm), printed(warm, "JVM", JVM + STOP)
    assert printed(warm, "JVM", SPOILT) == first
    after = surroundings(warm)
    for part in before:
        assert after[part] == before[part], part
    assert printed(warm, "JVM", JVM + STOP) == first, "the worker was replaced: this proved nothing"


@pytest.mark.slow
def test_table_that_another_program_made_anew_is_read_anew(warm: Jobs, tmp_path: Path) -> None:
    place = str(tmp_path / "table")
    write_deltalake(place, arrow_table({"n": [1]}))
    jvm = printed(warm, "JVM", JVM + STOP)
    assert printed(warm, "ROWS", READ, place) == "[1]"
    for file in sorted(Path(place).rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    write_deltalake(place, arrow_table({"n": [2]}))
    assert printed(warm, "ROWS", READ, place) == "[2]"
    assert printed(warm, "JVM", JVM + STOP) == jvm


def test_job_that_fails_by_itself_shows_its_exit_code_and_leaves_the_worker(warm: Jobs) -> None:
    jvm = printed(warm, "JVM", JVM + STOP)
    run = warm.start("import sys\nprint('SLUICE-ERROR {}', file=sys.stderr)\nsys.exit(65)")
    details = warm.wait(run)["stateDetails"]
    assert "ExitCode: 65." in details
    assert details.endswith("SLUICE-ERROR {}")
    run = warm.start("raise ValueError('why')")
    assert "ExitCode: 1." in warm.wait(run)["stateDetails"]
    assert "ValueError: why" in warm.log(run)
    assert printed(warm, "JVM", JVM + STOP) == jvm


def ended_early(jobs: Jobs, how: str) -> tuple[str, str, int]:
    """Ends a job in its middle; gives its state, its details and its JVM's process id."""
    run = jobs.start(JVM + "import os, time\nprint('pid', os.getpid(), flush=True)\ntime.sleep(600)")
    wait_until(lambda: "pid" in jobs.shipped(run), seconds=60)
    found = dict(re.findall(r"^(JVM|pid) (\d+)$", jobs.shipped(run), re.MULTILINE))
    if how == "cancel":
        jobs.cancel(run)
    else:
        os.kill(int(found[how]), signal.SIGKILL)
    ended = jobs.wait(run)
    assert gone(int(found["pid"])), "the job's Python lives on"
    assert gone(int(found["JVM"])), "a JVM that may still write lives on"
    return ended["state"], ended["stateDetails"], int(found["JVM"])


@pytest.mark.parametrize(
    ("how", "state", "details"),
    [
        pytest.param("cancel", "CANCELLED", "CancelJobRun", marks=pytest.mark.slow),
        ("pid", "FAILED", "ExitCode: 137."),
        pytest.param("JVM", "FAILED", "ExitCode: 137.", marks=pytest.mark.slow),
    ],
)
def test_job_that_is_ended_costs_its_jvm(warm: Jobs, how: str, state: str, details: str) -> None:
    found, said, jvm = ended_early(warm, how)
    assert (found, details in said) == (state, True), said
    assert printed(warm, "JVM", JVM + STOP) != str(jvm)


@pytest.mark.slow
def test_session_that_was_not_stopped_costs_its_jvm(warm: Jobs) -> None:
    assert printed(warm, "JVM", JVM + "import os\nos._exit(0)") != printed(warm, "JVM", JVM + STOP)


@pytest.mark.slow
@pytest.mark.parametrize(
    "request_",
    [
        {"parameters": "--conf spark.driver.extraJavaOptions=-Dx=y"},
        {"parameters": "--conf spark.emr-serverless.driverEnv.AWS_ACCESS_KEY_ID=other"},
        {"parameters": "--driver-java-options -Dx=y"},
        {"mode": "STREAMING"},
    ],
    ids=str,
)
def test_job_that_no_warm_worker_can_run_starts_cold(warm: Jobs, request_: dict[str, Any]) -> None:
    parent = "import os\nprint('PARENT', open(f'/proc/{os.getppid()}/comm').read().strip())"
    assert printed(warm, "PARENT", parent) != "java"
    run = warm.start(parent, **request_)
    assert warm.wait(run)["state"] == "SUCCESS"
    attempt = "attempts/1/" if request_.get("mode") else ""
    assert "PARENT java" in warm.log(run, attempt=attempt)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "compiled"), [("BATCH", "false"), ("STREAMING", "true")])
def test_plan_of_few_rows_is_interpreted_and_a_streams_is_compiled(warm: Jobs, mode: str, compiled: str) -> None:
    run = warm.start(JVM + "print('COMPILED', spark.conf.get('spark.sql.codegen.wholeStage'))" + STOP, mode=mode)
    assert warm.wait(run)["state"] == "SUCCESS"
    assert f"COMPILED {compiled}" in warm.log(run, attempt="attempts/1/" if mode == "STREAMING" else "")


@pytest.mark.slow
def test_idle_application_stops_and_the_next_job_starts_it(server: Server) -> None:
    jobs = of_application(server, "idle", drivers=1, enabled=True, idleTimeoutMinutes=5)  # 3 seconds here
    jvm = int(printed(jobs, "JVM", JVM + STOP))

    def state() -> str:
        return str(jobs.emr.get_application(applicationId=jobs.application)["application"]["state"])

    wait_until(lambda: state() == "STOPPED", seconds=30)
    wait_until(lambda: gone(jvm), seconds=30)
    assert printed(jobs, "JVM", JVM + STOP) != str(jvm)
    jobs.emr.stop_application(applicationId=jobs.application)


@pytest.mark.slow
def test_killed_server_leaves_no_worker_behind(tmp_path: Path) -> None:
    server = start_server(tmp_path, 18220)
    server.client("s3").create_bucket(
        Bucket="code", CreateBucketConfiguration={"LocationConstraint": server.client("s3").meta.region_name}
    )
    jobs = of_application(server, "killed", drivers=1)
    run = jobs.start(SLEEP)
    wait_until(lambda: "pid" in jobs.shipped(run), seconds=60)
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert any("java" in process.name() for process in family)
    server.end(signal.SIGKILL)
    wait_until(lambda: all(gone(process.pid) for process in family), seconds=20)
