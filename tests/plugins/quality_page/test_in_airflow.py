"""The page where people find it: in Airflow's menu, behind Airflow's log-in, with the lake on an S3."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests

from dq import summary
from jobs.lake import tables
from tests import airflow_home, browser
from tests.plugins.quality_page import scene
from tests.plugins.quality_page.scene import ORDERS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
JOBS = airflow_home.REPOSITORY / ".venv" / "jobs" / "bin" / "python"
REGION, BUCKET = "eu-west-1", "sluice-lake"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(command: list[Any], url: str, log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=output, stderr=output)
    give_up = time.monotonic() + 120
    while True:
        try:
            requests.get(url, timeout=10)
            return server
        except requests.ConnectionError:
            if time.monotonic() > give_up or server.poll() is not None:
                pytest.fail(f"{url} does not answer:\n{log.read_text()[-3000:]}")
            time.sleep(0.3)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads to an S3 with a lake."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ENDPOINT_URL_S3": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
        "SLUICE_LAKE_BUCKET": BUCKET,
    }  # fmt: skip
    log = tmp_path_factory.mktemp("s3") / "server.log"
    server = started([JOBS, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], url, log, dict(os.environ))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key, body in scene.lake().objects.items():
            boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        yield environment
    server.terminate()
    server.wait(30)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, aws: dict[str, str]) -> Iterator[str]:
    """An API server that asks for a log-in."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "passwords.json").write_text(json.dumps({"ann": "secret"}))
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {
        "PATH": os.environ["PATH"],
        **airflow_home.settings(str(home)),
        **aws,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ann:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
    }
    program = airflow_home.REPOSITORY / "tests" / "dags" / "api_server.py"
    server = started([sys.executable, program, str(port)], f"{url}/api/v2/version", home / "server.log", environment)
    yield url
    server.send_signal(signal.SIGTERM)
    server.wait(60)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser.chromium() as chromium:
        yield chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark").new_page()


def test_log_in_comes_first_and_leads_back_to_the_page(page: Page, airflow: str) -> None:
    page.goto(f"{airflow}/quality/tables/{ORDERS}")
    page.wait_for_url("**/auth/login**")
    assert ORDERS not in page.inner_text("body")

    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", "secret")
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url(f"**/quality/tables/{ORDERS}")
    assert page.get_by_role("heading", name=ORDERS).is_visible()


def test_page_is_in_airflows_menu_follows_its_theme_and_opens_its_runs(
    page: Page, airflow: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    named = scene.result(ORDERS, now, scene.doubled(now, "O-17"))
    for key, content in (named, (summary.key(ORDERS), scene.months(ORDERS, now, named))):
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())

    page.goto(f"{airflow}/plugin/quality")
    frame = page.frame_locator("iframe[title='Data quality']")
    frame.get_by_text(f"1 of {len(tables.every())} tables needs a look.").wait_for()
    page.screenshot(path=tmp_path / "in-airflow.png")
    themes = ("document.documentElement.classList.contains('dark')", "document.documentElement.dataset.theme")
    inner = next(each for each in page.frames if "/quality/" in each.url)
    assert (page.evaluate(themes[0]), inner.evaluate(themes[1])) in ((True, "dark"), (False, "light"))

    frame.get_by_role("link", name=ORDERS).first.click()
    frame.get_by_role("link", name="Run and job log", exact=True).click()

    page.wait_for_url("**/dags/daily_lakehouse/runs/scheduled__*/tasks/gate.silver*")
    page.locator("iframe").wait_for(state="detached")  # the run is shown in Airflow's own window


def test_page_is_on_each_dags_page(page: Page, airflow: str) -> None:
    page.goto(f"{airflow}/dags/daily_lakehouse/plugin/dag_quality")
    page.frame_locator("iframe[title='Data quality']").get_by_role("link", name=ORDERS).first.wait_for()
