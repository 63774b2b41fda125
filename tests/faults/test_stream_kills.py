"""Driver, broker and S3 are killed while events flow: each message ends in one of the two tables, once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.local.addresses import REPOSITORY


def kills(events: int, kills: int, rate: int) -> str:
    """Runs in a process of its own, which has another S3 and a job's environment from its start."""
    command = [sys.executable, "-m", "tests.faults.stream_kills", str(events), str(kills), str(rate)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_each_of_the_three_is_killed_once() -> None:
    output = kills(2_000, 3, 100)

    assert [output.count(f"kills the {victim}") for victim in ("driver", "broker", "s3")] == [1, 1, 1]
    assert '"sent": 2000' in output


@pytest.mark.slow
@pytest.mark.timeout(1750)
def test_twenty_kills_while_200_000_events_flow(capsys: pytest.CaptureFixture[str]) -> None:
    output = kills(200_000, 20, 1000)

    with capsys.disabled():
        print(output)
    assert output.count("kills the ") == 20
    assert '"sent": 200000' in output
