from __future__ import annotations

from sluice_airflow.emr.request import command_line, job_driver

RELEASE = "s3://sluice-code/releases/abc"


def parameters(**spark_conf: str) -> list[str]:
    driver = job_driver(
        release=RELEASE,
        arguments=["silver.orders"],
        environment={"SLUICE_LAKE_BUCKET": "sluice-lake"},
        spark_conf=spark_conf,
    )
    words: list[str] = driver["sparkSubmit"]["sparkSubmitParameters"].split(" ")
    return words


def test_code_comes_from_the_release() -> None:
    driver = job_driver(release=RELEASE, arguments=["gate"], environment={}, spark_conf={})["sparkSubmit"]
    assert driver["entryPoint"] == f"{RELEASE}/run.py"
    assert driver["entryPointArguments"] == ["gate"]
    assert driver["sparkSubmitParameters"].startswith(f"--py-files {RELEASE}/jobs.zip ")


def test_driver_and_executors_use_the_releases_python() -> None:
    assert f"spark.archives={RELEASE}/environment.tar.gz#environment" in parameters()
    for variable in (
        "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON",
        "spark.emr-serverless.driverEnv.PYSPARK_PYTHON",
        "spark.emr-serverless.executorEnv.PYSPARK_PYTHON",
        "spark.executorEnv.PYSPARK_PYTHON",
    ):
        assert f"{variable}=./environment/bin/python" in parameters()


def test_environment_reaches_the_driver() -> None:
    assert "spark.emr-serverless.driverEnv.SLUICE_LAKE_BUCKET=sluice-lake" in parameters()


def test_steps_own_spark_settings_win() -> None:
    words = parameters(**{"spark.archives": "s3://elsewhere#environment"})
    assert "spark.archives=s3://elsewhere#environment" in words
    assert not any(word.startswith(f"spark.archives={RELEASE}") for word in words)


def test_options_by_name_become_words() -> None:
    options = {"--limit": 5, "--dry-run": True, "--verbose": False, "--since": None, "--tables": "", "--offset": 0}
    assert command_line(options) == ["--limit", "5", "--dry-run", "--offset", "0"]
    assert command_line(["--limit", 5]) == ["--limit", "5"]
