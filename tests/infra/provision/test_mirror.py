from __future__ import annotations

from pathlib import Path

import pytest

from infra.provision import mirror
from infra.provision.errors import ProvisionError


def test_mirror_that_the_environment_names_is_taken(tmp_path: Path) -> None:
    (tmp_path / mirror.HOST).mkdir()
    assert mirror.find({mirror.VARIABLE: str(tmp_path)}) == tmp_path


def test_folder_that_is_no_mirror_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match=f"{mirror.VARIABLE} is {tmp_path}, which holds no"):
        mirror.find({mirror.VARIABLE: str(tmp_path)})


def test_mirror_is_found_two_levels_below_the_root_and_its_absence_is_no_error(tmp_path: Path) -> None:
    assert mirror.find({}, tmp_path) is None
    (tmp_path / "share" / "mirror" / mirror.HOST).mkdir(parents=True)
    assert mirror.find({}, tmp_path) == tmp_path / "share" / "mirror"
