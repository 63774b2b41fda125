"""Starts a DAG run by clicks: in a browser, with the form that Airflow's UI shows a person.

`.venv/airflow/bin/python -m tests.flow.airflow_form URL DAG '{"field": value, ...}'` prints the run's id. A field is
chosen from its list, typed, or switched. Playwright is in Airflow's environment; flow tests run in that of the jobs.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from tests import browser

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def start(page: Page, url: str, dag: str, fields: dict[str, Any]) -> str:
    """Fills in the form of a DAG and starts a run; answers its id."""
    page.goto(f"{url}/dags/{dag}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").filter(has_text=f"Trigger Dag - {dag}")
    form.get_by_text("Run Parameters").wait_for()
    for name, value in fields.items():
        fill(page, form, name, value)
    with page.expect_response(lambda answer: answer.request.method == "POST" and "dagRuns" in answer.url) as answered:
        form.get_by_test_id("trigger-dag-submit").click()
    answer = answered.value
    if not answer.ok:
        sys.exit(f"Airflow refused the form: {answer.text()}")
    return str(answer.json()["dag_run_id"])


def fill(page: Page, form: Locator, name: str, value: Any) -> None:
    """Gives one field its value, as a person would."""
    hidden = page.locator(f"input[type=hidden][name=element_{name}]")
    if hidden.count():
        choice = form.locator("div", has=hidden).last.get_by_role("combobox")
        choice.fill(str(value))
        page.get_by_role("option", name=re.compile(f"^{re.escape(str(value))}$")).click()
    elif isinstance(value, bool):
        switch = page.locator(f"input[type=checkbox][name=element_{name}]")
        if switch.is_checked() != value:
            form.locator("label", has=switch).click()
    else:
        form.locator(f"input[name=element_{name}]").fill(str(value))


if __name__ == "__main__":
    with browser.chromium() as chromium:
        print(start(chromium.new_page(), sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
