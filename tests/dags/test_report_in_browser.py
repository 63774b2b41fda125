"""The daily report in a browser: on a phone and a screen, in light and dark, and printed. Playwright is here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs.operations.report import page as report
from tests import browser
from tests.jobs.operations.report.test_page import EMPTY, sample

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
LARGE = {"dag_id": "a_" * 30, "job_runs": 12_345, "failed": 1_234, "vcpu_hours": 123_456.25, "gb_hours": 987_654.5}
DAYS = {
    "full": sample(),
    "empty": sample(**EMPTY),
    "large": sample(cost=[LARGE], dead_letters=[{"table": "t" * 60, "reason": "r" * 60, "rows": 10**12}]),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(params=DAYS)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The page of a day."""
    written = tmp_path / f"{request.param}.html"
    written.write_text(report.render(DAYS[request.param]), encoding="utf-8")
    return written


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_report_is_accessible_and_fits_its_width(
    chromium: Browser, file: Path, width: int, theme: Any, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.screenshot(path=tmp_path / f"{file.stem}-{width}-{theme}.png", full_page=True)
    assert browser.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert asked == [file.as_uri()], "the report needs nothing else"


def test_report_looks_the_same_printed_from_a_dark_screen(chromium: Browser, file: Path, tmp_path: Path) -> None:
    """Paper is white; and no row is cut off at its edge."""
    context = chromium.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")  # A4
    page = context.new_page()
    page.goto(file.as_uri())
    on_screen = page.locator("body").inner_text()
    page.emulate_media(media="print")
    page.screenshot(path=tmp_path / f"{file.stem}-printed.png", full_page=True)
    assert page.locator("body").inner_text() == on_screen
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), background
    assert browser.violations(page) == []
    context.close()
