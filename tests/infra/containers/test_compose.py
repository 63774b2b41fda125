"""docker-compose.yaml holds the platform's parts, and gives each no more than it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.containers import __main__ as containers
from infra.containers import compose
from infra.local import supervisord_conf
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.errors import PlatformError
from infra.local.parts import Part, stand_ins
from infra.setup import environments

ADDRESSES = Addresses(Path(compose.HOME), 8100)
FOLDER = REPOSITORY / "infra" / "containers"
TASKS = {"fill", "pools", "daily-run"}  # end by themselves
Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    found: Document = yaml.safe_load((REPOSITORY / "docker-compose.yaml").read_text())
    return found


def one_part_more(addresses: Addresses) -> tuple[Part, ...]:
    more = Part("postgres", ("postgres",), lambda _: None, f"http://127.0.0.1:{addresses.port + 9}", stop_within=33)
    return (*stand_ins(addresses), more)


def weak(document: Document) -> list[str]:
    """What a service may do and should not."""
    found = []
    for name, service in document["services"].items():
        if not re.fullmatch(r"[\w./-]+:(\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?|local)", service["image"]):
            found.append(f"{name}: image {service['image']} is not pinned")
        if service["image"].endswith(":local") and "build" not in service:
            found.append(f"{name}: nobody builds its image")
        if str(service.get("user", "root")).partition(":")[0] in ("root", "0"):
            found.append(f"{name}: runs as root")
        if not service.get("read_only"):
            found.append(f"{name}: can write its code")
        if service.get("cap_drop") != ["ALL"] or "cap_add" in service or service.get("privileged"):
            found.append(f"{name}: has capabilities")
        if service.get("security_opt") != ["no-new-privileges:true"]:
            found.append(f"{name}: may gain privileges")
        if name != "doors" and service.get("network_mode") != "service:doors":
            found.append(f"{name}: has a network of its own")
        found += [f"{name}: publishes {port}" for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
    return found


def test_committed_files_are_those_of_the_list_of_parts() -> None:
    stale = [file.name for file, text in compose.files().items() if file.read_text() != text]
    assert stale == [], "run `make compose`"


def test_a_new_part_of_the_supervisor_makes_the_committed_files_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "stand_ins", one_part_more)
    text, doors = compose.files().values()
    service = yaml.safe_load(text)["services"]["postgres"]
    assert service["stop_grace_period"] == "33s"
    assert service["healthcheck"]["test"][-2:] == ["check", "postgres"]
    assert "127.0.0.1:8109" in doors
    assert all(file.read_text() != text for file, text in compose.files().items())


def test_supervisor_and_compose_run_the_same_parts(document: Document) -> None:
    text = supervisord_conf.text(ADDRESSES.home, ADDRESSES.home / "socket", containers.all_parts(ADDRESSES))
    supervised = set(re.findall(r"^\[program:(.+)\]$", text, re.M))
    assert len(supervised) >= 10
    assert set(document["services"]) == supervised | TASKS | {"doors"}


def test_every_part_is_checked_and_starts_after_what_it_uses(document: Document) -> None:
    services = document["services"]
    parts = containers.all_parts(ADDRESSES)
    for one in parts:
        assert services[one.name]["healthcheck"]["test"][-2:] == ["check", one.name]
        assert services[one.name]["command"] == ["start", one.name]
        assert (services[one.name]["restart"] == "no") is not one.restart
    assert set(services["aws"]["depends_on"]) == {"s3", "snowflake", "salesforce", "ecb", "kafka"}
    assert set(services["fill"]["depends_on"]) == {one.name for one in stand_ins(ADDRESSES)}
    assert services["airflow-scheduler"]["depends_on"] == {"fill": {"condition": "service_completed_successfully"}}


def test_no_service_may_do_more_than_it_needs(document: Document) -> None:
    assert weak(document) == []


@pytest.mark.parametrize(
    ("service", "setting", "value", "said"),
    [
        ("doors", "ports", ["8100:18100"], "publishes 8100:18100"),
        ("doors", "ports", ["0.0.0.0:8100:18100"], "publishes 0.0.0.0"),
        ("doors", "image", "haproxy:latest", "not pinned"),
        ("kafka", "image", "kafka", "not pinned"),
        ("kafka", "user", "0:0", "runs as root"),
        ("kafka", "read_only", False, "can write its code"),
        ("aws", "cap_add", ["NET_ADMIN"], "has capabilities"),
        ("aws", "network_mode", "host", "network of its own"),
        ("s3", "security_opt", [], "may gain privileges"),
    ],
)
def test_a_service_that_may_do_more_is_named(
    document: Document, service: str, setting: str, value: object, said: str
) -> None:
    document["services"][service][setting] = value
    (found,) = weak(document)
    assert found.startswith(f"{service}: ")
    assert said in found


def test_doors_lead_from_each_published_port_to_the_part_on_loopback(document: Document) -> None:
    published = {port.split(":")[2]: port.split(":")[1] for port in document["services"]["doors"]["ports"]}
    forwarded = dict(re.findall(r"bind :(\d+)\n  server part 127\.0\.0\.1:(\d+)", (FOLDER / "doors.cfg").read_text()))
    assert forwarded == published
    assert len(forwarded) == 7


def test_a_container_becomes_the_program_of_its_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[Any] = []
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path))
    monkeypatch.setenv("SLUICE_PORT", "18500")
    monkeypatch.setenv("AWS_PROFILE", "a-persons-own")
    monkeypatch.setattr(containers.os, "execvpe", lambda *words: became.extend(words))
    (tmp_path / "release").write_text("s3://sluice-code/releases/abc")

    assert containers.main(["start", "airflow-scheduler"]) == 0

    _, command, environment = became
    assert command[-2:] == ["scheduler", "--skip-serve-logs"]
    assert environment["SLUICE_RELEASE"] == "s3://sluice-code/releases/abc"
    assert environment["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:18502"
    assert "AWS_PROFILE" not in environment


def test_check_of_a_part_that_does_not_serve_fails_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path))
    monkeypatch.setenv("SLUICE_PORT", "18720")
    assert containers.main(["check", "ecb"]) == 1
    assert "ecb: ConnectionError" in capsys.readouterr().err


def test_an_unknown_part_is_named_with_those_that_are_known() -> None:
    with pytest.raises(PlatformError, match=r"no part 'kafak': it has s3, aws, .*kafka"):
        containers.part(ADDRESSES, "kafak")


def dockerfile_copies() -> list[str]:
    """What the Dockerfile takes from the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (FOLDER / "Dockerfile").read_text(), re.M)
    return [name for line in lines for name in line.split()]


def test_image_has_the_files_that_its_set_up_reads() -> None:
    read = [
        *environments.pins(environments.AIRFLOW_VERSION),
        *environments._WANTED,
        REPOSITORY / "infra" / "local" / "requirements.lock",
        REPOSITORY / "infra" / "setup" / "jars.lock",
    ]
    copied = dockerfile_copies()
    assert copied
    for file in read:
        name = file.relative_to(REPOSITORY).as_posix()
        assert any(name == one or name.startswith(f"{one}/") for one in copied), name


def test_build_context_has_what_the_image_copies_and_neither_state_nor_history() -> None:
    let_in = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in dockerfile_copies():
        assert (REPOSITORY / name).exists()
        assert name in let_in or name.partition("/")[0] in let_in, name
    assert not let_in & {".venv", ".sluice", ".git", "tests"}


def test_image_runs_its_code_as_another_user_than_the_one_that_owns_it() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    assert re.findall(r"^USER (.+)$", text, re.M)[-1] == "10001:10001"
    assert "--chown" not in text
    assert all(re.match(r"[a-z]+:\d+\.\d+\.\d+-", image) for image in re.findall(r"^FROM ([^\s]+:\S+)", text, re.M))
