"""Which release a tree of DAGs belongs to, and what a release's files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.lake import release


def test_tree_of_a_release_says_which_it_is_and_a_checkout_is_none(tmp_path: Path) -> None:
    assert release.of_tree(tmp_path) == ""
    (tmp_path / release.MARK).write_text("0123456789ab\n")
    assert release.of_tree(tmp_path) == "0123456789ab"
    assert release.of_tree(tmp_path / release.MARK) == "", "as inside of jobs.zip"
    assert release.of_tree() == "", "a checkout must not hold the mark"


@pytest.mark.parametrize("unknown", ["", "arm64", "aarch64"])
def test_architecture_that_emr_serverless_has_not_is_refused(unknown: str) -> None:
    assert release.python_archive("ARM64") == "python-arm64.tar.gz"
    with pytest.raises(ValueError, match="EMR Serverless has ARM64, X86_64"):
        release.python_archive(unknown)
