"""The page in Chromium: readable by all, at every width, in light and dark, and whatever fails is seen at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dq import summary
from jobs.lake import tables
from tests import airflow_home, browser
from tests.plugins.quality_page import scene
from tests.plugins.quality_page.scene import ORDERS, S3InMemory

airflow_home.use()

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
WIDTHS, THEMES = (360, 1280), ("light", "dark")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture
def s3() -> S3InMemory:
    return scene.lake()


@pytest.fixture
def url(s3: S3InMemory) -> Iterator[str]:
    """The page on a port of its own."""
    import uvicorn
    from fastapi import FastAPI

    from quality_page import lake, login
    from quality_page.app import app

    source = lake.Lake(s3, "lake")
    app.dependency_overrides = {login.allowed: lambda: None, lake.of_environment: lambda: source}
    root = FastAPI()
    root.mount("/quality", app)
    server = uvicorn.Server(uvicorn.Config(root, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/quality/"
    server.should_exit = True
    thread.join(20)
    app.dependency_overrides = {}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def fail(s3: S3InMemory) -> str:
    """Plants a failure; returns the key of the gate's result."""
    now = datetime.now(UTC)
    named = scene.result(ORDERS, now, scene.doubled(now, "O-17", "O-18"), scene.metal(now))
    s3.put(*named)
    s3.put(summary.key(ORDERS), scene.months(ORDERS, now, named))
    return named[0].replace("gold/quality", "results")


def test_planted_failure_is_visible_within_one_refresh(page: Page, url: str, s3: S3InMemory) -> None:
    page.goto(url)
    assert page.get_by_text("Refused").count() == 0

    fail(s3)
    page.reload()

    assert page.get_by_text(f"1 of {len(tables.every())} tables needs a look.").is_visible()
    page.get_by_role("link", name=ORDERS).first.click()
    assert page.get_by_role("heading", name="Failing now").is_visible()
    assert page.get_by_text("O-17").is_visible()
    assert page.get_by_text("2 of 1,200 rows (0.17 %)").is_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit_their_width(
    chromium: Browser, url: str, s3: S3InMemory, width: int, theme: Any, tmp_path: Path
) -> None:
    paths = {"overview": "", "attention": "?show=attention", "table": f"tables/{ORDERS}", "result": fail(s3),
             "bronze": f"tables/{scene.EVENTS}", "missing": "tables/silver.nothing"}  # fmt: skip
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page, asked, told = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    for name, path in paths.items():
        page.goto(f"{url}{path}")
        for details in page.locator("details").all():
            details.evaluate("element => element.open = true")
        page.screenshot(path=tmp_path / f"{name}-{width}-{theme}.png", full_page=True)
        assert browser.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
    context.close()
    assert [request for request in asked if not request.startswith(url)] == []
    assert [line for line in told if "404" not in line] == [], "the page breaks its own policy"


def test_page_works_by_keyboard_alone(page: Page, url: str, s3: S3InMemory) -> None:
    fail(s3)
    page.goto(url)

    def focused() -> str:
        return str(page.evaluate("document.activeElement.innerText"))

    page.keyboard.press("Tab")
    assert focused() == "Skip to content"
    assert page.get_by_role("link", name="Skip to content").bounding_box()["x"] >= 0  # type: ignore[index]
    seen = []
    while focused() != ORDERS:
        page.keyboard.press("Tab")
        seen.append(focused())
        assert len(seen) < 20, seen
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "focus can be seen"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tables/{ORDERS}")


def test_page_needs_no_script(chromium: Browser, url: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("link", name=ORDERS).first.click()
    assert page.get_by_role("heading", name="Twelve weeks").is_visible()
    context.close()
