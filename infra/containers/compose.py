"""`python -m infra.containers.compose`: writes docker-compose.yaml and doors.cfg from the platform's list of parts.

All containers share one network namespace, so that each part finds the others at 127.0.0.1 as without containers, and
none listens anywhere else. The namespace is that of `doors`, a proxy: what it forwards is published on the host's
loopback address, at the same port.
"""

from __future__ import annotations

from pathlib import Path

from infra.containers.__main__ import all_parts
from infra.local.addresses import HOST, REPOSITORY, Addresses
from infra.local.parts import AIRFLOW, AWS, SOURCES, Part

HOME = "/var/lib/sluice"
DOORS_IMAGE = "haproxy:3.2.21-alpine"
OUTSIDE = 10_000  # the doors listen this far above a part's port, as the part has its own on 127.0.0.1
DOORS_HEALTH = 18_099

_HEAD = f"""\
# Written by `make compose` from infra/local/parts.py and infra/local/airflow.py. Change those, not this.
#   docker compose up --build --detach   start the platform; Airflow is at http://127.0.0.1:8100
#   docker compose run --rm daily-run    run the daily DAG for three days and print gold
#   docker compose down                  stop it; with --volumes also forget what is in the lake
# Each part is the same program as under `make up`, with the same check; infra/containers/__main__.py starts it.

x-part: &part
  image: sluice-platform:local
  build:
    context: .
    dockerfile: infra/containers/Dockerfile
  network_mode: "service:doors"
  user: "10001:10001"
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  init: true
  environment:
    SLUICE_HOME: {HOME}
    SLUICE_PORT: "8100"
    SLUICE_DAYS: "${{SLUICE_DAYS:-3}}"
  volumes: ["sluice-home:{HOME}"]
  # Java loads native libraries from /tmp. The release that the code makes of itself goes to build/.
  tmpfs: ["/tmp:exec", "/sluice/build"]

services:
  # The only container with a way in and out.
  doors:
    image: {DOORS_IMAGE}
    user: haproxy
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    restart: on-failure
    volumes: ["./infra/containers/doors.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro"]
    ports:
{{ports}}
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://{HOST}:{DOORS_HEALTH}/"]
      interval: 30s
      timeout: 5s
      start_period: 10s
      start_interval: 1s
"""

_PART = """
  {name}:
    <<: *part
    command: [start, {name}]
    restart: {restart}
    stop_grace_period: {stop}s
    depends_on:
{needs}
    healthcheck:
      test: ["CMD", ".venv/jobs/bin/python", "-m", "infra.containers", "check", {name}]
      interval: 60s
      timeout: 20s
      retries: 3
      start_period: {start}s
      start_interval: 3s
"""

_TASK = """
  {name}:
    <<: *part
    command: [{command}]
    restart: "no"
    depends_on:
{needs}
"""

_DOORS = f"""\
# Written by `make compose`. Forwards what docker-compose.yaml publishes to the parts, which listen on loopback only.
global
  log stdout format raw local0 warning

defaults
  mode tcp
  log global
  timeout connect 5s
  timeout client 1h
  timeout server 1h

frontend health
  mode http
  bind {HOST}:{DOORS_HEALTH}
  monitor-uri /
"""


def doors(parts: tuple[Part, ...]) -> dict[str, int]:
    """Port on 127.0.0.1 of each part that listens."""
    return {one.name: int(one.address.rpartition(":")[2]) for one in parts if one.address}


def compose_text(parts: tuple[Part, ...]) -> str:
    """`docker-compose.yaml`."""
    names = {stage: [one.name for one in parts if one.stage == stage] for stage in (SOURCES, AWS, AIRFLOW)}
    before = {
        SOURCES: _needs(healthy=["doors"]),
        AWS: _needs(healthy=names[SOURCES]),
        AIRFLOW: _needs(ended=["fill"]),
    }
    ports = "\n".join(f'      - "{HOST}:{port}:{port + OUTSIDE}"  # {name}' for name, port in doors(parts).items())
    services = [_part(one, before[one.stage]) for one in parts]
    by_hand = _TASK.format(name="daily-run", command="run", needs=_needs(healthy=names[AIRFLOW], ended=["pools"]))
    services += [
        _TASK.format(name="fill", command="fill", needs=_needs(healthy=names[SOURCES] + names[AWS])),
        _TASK.format(name="pools", command="pools", needs=_needs(healthy=["airflow-api-server"])),
        by_hand + '    profiles: ["by-hand"]\n',
    ]
    return _HEAD.replace("{ports}", ports) + "".join(services) + "\nvolumes:\n  sluice-home:\n"


def doors_text(parts: tuple[Part, ...]) -> str:
    """The proxy's configuration."""
    forwarded = "\nlisten {name}\n  bind :{outside}\n  server part {host}:{port}\n"
    listeners = [
        forwarded.format(name=name, outside=port + OUTSIDE, host=HOST, port=port) for name, port in doors(parts).items()
    ]
    return _DOORS + "".join(listeners)


def files() -> dict[Path, str]:
    """The files as they should be. The platform's state folder and ports are those of the containers."""
    parts = all_parts(Addresses(Path(HOME), 8100))
    return {
        REPOSITORY / "docker-compose.yaml": compose_text(parts),
        REPOSITORY / "infra" / "containers" / "doors.cfg": doors_text(parts),
    }


def _part(one: Part, needs: str) -> str:
    return _PART.format(
        name=one.name,
        restart="on-failure" if one.restart else '"no"',
        stop=one.stop_within,
        start=round(one.healthy_within),
        needs=needs,
    )


def _needs(*, healthy: list[str] | None = None, ended: list[str] | None = None) -> str:
    conditions = [(name, "service_healthy") for name in healthy or []]
    conditions += [(name, "service_completed_successfully") for name in ended or []]
    return "\n".join(f"      {name}:\n        condition: {condition}" for name, condition in conditions)


if __name__ == "__main__":
    for file, text in files().items():
        file.write_text(text)
        print(f"wrote {file.relative_to(REPOSITORY)}")
