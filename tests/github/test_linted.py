"""The linters of `make lint-files` pass what is committed, and each refuses a fault of its own kind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = REPOSITORY / ".venv" / "tools" / "bin"

pytestmark = pytest.mark.slow  # `make slow` makes the tools' environment first


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """The recipe of `make lint-files`, on another tree."""
    lines = (REPOSITORY / "Makefile").read_text().partition("\nlint-files: ")[2].splitlines()[1:]
    recipe = [line.removeprefix("\t@") for line in lines[: next(n for n, line in enumerate(lines) if not line)]]
    assert len(recipe) >= 5
    script = " && ".join(line.replace("$(TOOLS)", str(TOOLS)) for line in recipe)
    return subprocess.run(["bash", "-c", script], cwd=tree, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    assert (TOOLS / "actionlint").exists(), "run `make tools`"
    shutil.copytree(REPOSITORY / ".github", tmp_path / ".github")
    shutil.copytree(REPOSITORY / "infra" / "containers", tmp_path / "infra" / "containers")
    shutil.copy2(REPOSITORY / "docker-compose.yaml", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)  # actionlint looks for a repository
    return tmp_path


def change(file: Path, find: str, replace: str) -> None:
    text = file.read_text()
    assert find in text
    file.write_text(text.replace(find, replace, 1))


def test_what_is_committed_is_clean(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "find", "replace", "said"),
    [
        (".github/workflows/deploy.yml", "needs: checks", "needs: check", 'needs job "check"'),
        (".github/workflows/checks.yml", "vars[matrix.plan_role]", "vars[matrix.plan_roles]", 'property "plan_roles"'),
        (".github/workflows/rollback.yml", 'TO="$RELEASE"', 'TO="${{ inputs.release }}"', "template-injection"),
        (".github/workflows/weekly.yml", "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "unpinned-uses"),
        (".github/workflows/weekly.yml", "timeout-minutes: 240", "timeout-minutes: [1]", "timeout-minutes"),
        ("infra/containers/Dockerfile", "FROM python:3.12.13-slim-bookworm", "FROM python:latest", "DL3007"),
        ("infra/containers/Dockerfile", "# hadolint ignore=DL3008\n", "", "DL3008"),
        ("docker-compose.yaml", "cap_drop: [ALL]", "cap_dropp: [ALL]", "cap_dropp"),
    ],
)
def test_a_fault_is_refused_and_named(tree: Path, file: str, find: str, replace: str, said: str) -> None:
    change(tree / file, find, replace)
    done = lint(tree)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
