"""The scan finds a secret wherever it is or was, shows no value, and finds none in this project."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
TOOLS = REPOSITORY / ".venv" / "tools" / "bin" / "python"
KEY = "AKIA" + "Q3EGRJ7MZ5XWPT2B"  # in two parts, so that the scan of this project finds none
SCAN = """
import json, sys
from pathlib import Path
from infra.security import secrets
where = Path(sys.argv[1])
both = (secrets.tree(where), secrets.history(where))
print(json.dumps([[str(one) for one in secrets.find(lines)[0]] for lines in both]))
"""

pytestmark = pytest.mark.slow  # `make slow` makes the tools' environment first


def git(repository: Path, *words: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *words], cwd=repository, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    return tmp_path


def commit(repository: Path, text: str) -> None:
    (repository / "settings.py").write_text(text)
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "Change settings")


def scan(repository: Path) -> tuple[list[str], list[str]]:
    """What is found in the tree and in history."""
    assert TOOLS.exists(), "run `make tools`"
    done = subprocess.run(
        [TOOLS, "-c", SCAN, str(repository)], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=120
    )
    assert KEY not in done.stdout + done.stderr
    tree, history = json.loads(done.stdout)
    return tree, history


def test_secret_in_the_tree_is_found_before_it_is_committed(repository: Path) -> None:
    commit(repository, "a = 1\n")
    (repository / "new.py").write_text(f"one = 1\naccess = '{KEY}'\n")
    tree, history = scan(repository)
    assert [line.partition(" (")[0] for line in tree] == ["new.py:2: AWS Access Key"]
    assert history == []


def test_secret_that_was_removed_is_still_found_in_history(repository: Path) -> None:
    commit(repository, f"a = 1\naccess = '{KEY}'\n")
    commit(repository, "a = 1\n")
    tree, history = scan(repository)
    assert tree == []
    (found,) = history
    assert found.startswith("settings.py@")
    assert ":2: AWS Access Key" in found


def test_secret_on_another_branch_is_found(repository: Path) -> None:
    commit(repository, "a = 1\n")
    git(repository, "checkout", "--quiet", "-b", "side")
    commit(repository, "pass" + f"word = '{'Tr0ub4dor' + '&3'}'\n")
    git(repository, "checkout", "--quiet", "-")
    tree, history = scan(repository)
    assert tree == []
    assert len(history) == 1
    assert "Secret Keyword" in history[0]


def test_a_name_beside_a_variable_or_a_call_is_no_secret(repository: Path) -> None:
    commit(repository, 'password = known["password"]\nsecret = read()\ntoken = ""\n')
    assert scan(repository) == ([], [])


def test_hook_refuses_the_file_that_is_about_to_be_committed(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("a = 1\n")
    bad.write_text(f"access = '{KEY}'\n")
    for files, code in (((good,), 0), ((good, bad), 1)):
        words = [TOOLS, "-m", "infra.security.secrets", *files]
        done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, "AWS Access Key" in done.stderr) == (code, bool(code))


def test_tree_and_history_of_this_project_hold_no_secret() -> None:
    done = subprocess.run(
        [TOOLS, "-m", "infra.security.secrets"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tree:" in done.stdout
