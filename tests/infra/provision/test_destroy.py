"""A destroy keeps the data unless it is told twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.provision import __main__ as provision
from infra.provision import application, settings
from infra.provision.errors import ProvisionError
from infra.provision.settings import TERRAFORM
from infra.provision.terraform import Workspace

DATA = {"audit", "catalog", "keys", "secrets", "storage"}


def test_every_module_runs_or_holds_data() -> None:
    modules = {folder.name for folder in (TERRAFORM / "modules").iterdir()}
    assert modules == DATA | set(provision.RUNNING)


@pytest.mark.parametrize("told", ["data=other-data-lake-dev", "data=yes", "data=your-company-data-lake-prod"])
def test_other_name_destroys_nothing(told: str) -> None:
    with pytest.raises(ProvisionError, match="nothing was destroyed"):
        provision.what_to_destroy(settings.read("dev"), told)
    assert provision.main(["destroy", "dev", told]) == 1


@pytest.mark.parametrize(("told", "whole"), [("data=", False), ("data=your-company-data-lake-dev", True)])
def test_data_goes_only_by_the_lakes_name(
    told: str, whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(Workspace, "of", lambda _: Workspace(tmp_path))
    monkeypatch.setattr(Workspace, "connect", lambda *_: None)
    monkeypatch.setattr(Workspace, "outputs", lambda _: {})
    monkeypatch.setattr(Workspace, "variables", lambda *given: list(given[2:]))
    monkeypatch.setattr(Workspace, "must", lambda _, *words: ran.append(words))
    assert provision.main(["destroy", "dev", told, "create_budget=false"]) == 0
    ((action, *words),) = ran
    assert (action, words[-1]) == ("destroy", "create_budget=false")
    targets = {word.partition(".")[2] for word in words if word.startswith("-target=")}
    assert targets == (set() if whole else set(provision.RUNNING))


def test_airflow_goes_first_as_it_would_start_job_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(Workspace, "of", lambda _: Workspace(tmp_path))
    monkeypatch.setattr(Workspace, "connect", lambda *_: None)
    monkeypatch.setattr(Workspace, "variables", lambda *_: [])
    monkeypatch.setattr(Workspace, "outputs", lambda _: {"settings": {"SLUICE_EMR_APPLICATION_ID": "00app"}})
    monkeypatch.setattr(Workspace, "must", lambda _, *words: done.append(" ".join(words[3:])))
    monkeypatch.setattr(application, "refuse_live", lambda _, found: done.append(f"look at {found}"))
    monkeypatch.setattr(application, "stop", lambda _, found: done.append(f"stop {found}"))
    assert provision.main(["destroy", "dev", "data=your-company-data-lake-dev"]) == 0
    assert done == ["look at 00app", "-target=module.mwaa", "stop 00app", ""]
