from __future__ import annotations

from pathlib import Path

import pytest

from infra.setup import spark_conf
from infra.setup.spark_conf import local_conf
from infra.setup.steps import SetupError

S3 = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("compilers", "first"),
    [({}, [spark_conf.FIRST_COMPILER]), ({"compilers": ""}, [])],
    ids=["a job", "a long session"],
)
def test_job_has_the_first_compiler_alone_and_every_session_room_for_code(
    compilers: dict[str, str], first: list[str]
) -> None:
    options = local_conf(S3, **compilers)["spark.driver.extraJavaOptions"].split()
    assert options == [*first, spark_conf.COLLECTOR, spark_conf.ROOM_FOR_CODE, *spark_conf.WHOLE_HEAP.split()]


def test_missing_jars_are_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_JARS", str(tmp_path))
    with pytest.raises(SetupError, match="run `make setup`"):
        spark_conf.environment({})
