"""The real stand-ins under the process manager, filled and queried."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from infra.local import athena, bootstrap, clients, environment, lifecycle, listeners, processes, secrets, status
from infra.local.addresses import Addresses
from infra.local.parts import stand_ins
from infra.local.process_manager import ProcessManager

PORT = 18930


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Addresses of running stand-ins, each of which has passed its health check."""
    addresses = Addresses(tmp_path_factory.mktemp("platform"), PORT)
    manager = _manager(addresses)
    with lifecycle.alone(addresses.home), lifecycle.stopping(manager, BaseException):
        manager.start()
        lifecycle.launch(manager, stand_ins(addresses))
        yield addresses
    lifecycle.stop(manager)
    assert processes.members(addresses.home) == []


@pytest.fixture(scope="module")
def release(addresses: Addresses) -> str:
    return bootstrap.prepare(addresses, environment.of_parts(addresses, {"SLUICE_SEED_SIZE": "100"}))


def _manager(addresses: Addresses) -> ProcessManager:
    return ProcessManager(addresses.home, environment.of_parts(addresses))


def test_nothing_listens_beyond_this_machine(addresses: Addresses) -> None:
    assert listeners.exposed(addresses.home) == []


def test_secrets_are_the_stand_ins_own_log_ins(addresses: Addresses, release: str) -> None:
    manager = clients.client(addresses, "secretsmanager")
    for name, document in secrets.secrets(addresses).items():
        assert json.loads(manager.get_secret_value(SecretId=name)["SecretString"]) == document


def test_the_release_is_where_its_address_says(addresses: Addresses, release: str) -> None:
    bucket, _, prefix = release.removeprefix("s3://").partition("/")
    listed = clients.client(addresses, "s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    assert {item["Key"].removeprefix(f"{prefix}/") for item in listed["Contents"]} >= {"run.py", "jobs.zip"}


def test_the_application_has_the_id_that_clients_use(addresses: Addresses, release: str) -> None:
    emr = clients.client(addresses, "emr-serverless")
    application = emr.get_application(applicationId=addresses.emr_application_id)["application"]
    assert application["releaseLabel"] == "emr-spark-8.1.0"


def test_filling_a_second_time_changes_nothing(addresses: Addresses, release: str) -> None:
    given = environment.of_parts(addresses, {"SLUICE_SEED_SIZE": "100"})
    assert bootstrap.prepare(addresses, given) == release
    assert len(clients.client(addresses, "emr-serverless").list_applications()["applications"]) == 1


def test_a_statement_runs_through_the_athena_api(addresses: Addresses, release: str) -> None:
    result = athena.query(addresses, "SELECT 1 AS one, 'x' AS letter, CAST(NULL AS varchar) AS nothing")
    assert [column.name for column in result.columns] == ["one", "letter", "nothing"]
    assert [column.number for column in result.columns] == [True, False, False]
    assert result.rows == (("1", "x", None),)


def test_a_failed_statement_gives_athenas_reason(addresses: Addresses, release: str) -> None:
    with pytest.raises(athena.QueryFailedError, match=r"FAILED: .*Schema 'nowhere' does not exist"):
        athena.query(addresses, "SELECT * FROM nowhere.orders")


def test_status_shows_memory_and_that_all_is_well(addresses: Addresses, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.show(_manager(addresses), stand_ins(addresses)) == 0
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    for name in ("s3", "aws", "snowflake", "salesforce", "ecb"):
        assert lines[name][1] == "healthy"
        assert int(lines[name][3]) > 10
