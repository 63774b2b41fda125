"""Runs the tests of what changed since the last commit: `make check`, for the time between two commits.

A module's tests are those named after it, at its place below `tests`; if there are none, those of its folder. What a
change breaks further away, `make test` finds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
AIRFLOW = ("tests/dags", "tests/plugins")
OF_DOCS, OF_THE_MAKEFILE = "tests/docs/test_docs.py", "tests/test_makefile.py"


def chosen(changed: Iterable[str], root: Path = REPOSITORY) -> list[str]:
    """The test files of changed files, both as paths below `root`."""
    return sorted({test for name in changed for test in _chosen(Path(name), root)})


def _chosen(file: Path, root: Path) -> list[str]:
    if file.suffix == ".md":
        return [OF_DOCS]
    if file.name == "Makefile":
        return [OF_THE_MAKEFILE]
    if file.parts[0] == "tests":
        named = [root / file] if file.name.startswith("test_") and (root / file).exists() else []
        return _below(root, named or _tests_in(root / file.parent))
    folder = root / "tests" / file.parent
    if file.parts[:2] == ("dq", "suites"):  # a table's rules are tested with the table
        folder = root / "tests" / "jobs" / Path(*file.parts[2:-1])
    named = [*folder.glob(f"test_{file.stem}.py"), *folder.glob(f"test_{file.stem}_*.py")]
    while not named and not _tests_in(folder) and folder != root / "tests":
        folder = folder.parent
    return _below(root, named or _tests_in(folder))


def _tests_in(folder: Path) -> list[Path]:
    return list(folder.glob("test_*.py"))


def _below(root: Path, files: Iterable[Path]) -> list[str]:
    return [file.relative_to(root).as_posix() for file in files]


def main() -> int:
    """Runs them, each with the environment that it belongs to; 0 when all are green or nothing changed."""
    listings = (["git", "diff", "--name-only", "HEAD"], ["git", "ls-files", "--others", "--exclude-standard"])
    changed = [
        name
        for listing in listings
        for name in subprocess.check_output(listing, cwd=REPOSITORY, text=True).splitlines()
    ]
    tests = chosen(changed)
    if not tests:
        print("nothing with tests has changed since the last commit")
        return 0
    print("tests of what has changed:", *tests, sep="\n  ", flush=True)
    theirs = [test for test in tests if test.startswith(AIRFLOW)]
    parts = {"airflow": theirs, "jobs": [test for test in tests if test not in theirs]}
    codes = [
        subprocess.run([REPOSITORY / ".venv" / venv / "bin" / "python", "-m", "pytest", *part], cwd=REPOSITORY)
        for venv, part in parts.items()
        if part
    ]
    return max(done.returncode for done in codes)


if __name__ == "__main__":
    sys.exit(main())
