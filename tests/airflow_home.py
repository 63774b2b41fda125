"""An Airflow for the tests alone: no connection, no Variable, no example, a database that nobody else uses."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def settings(home: str) -> dict[str, str]:
    """The environment in which Airflow must start. Airflow reads it once, when it is first imported."""
    return {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }


def use() -> None:
    """Put this process on such an Airflow, with the plugins importable as Airflow makes them."""
    if "airflow" in sys.modules:
        return
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "SLUICE_"))]:
        del os.environ[name]
    os.environ.update(settings(tempfile.mkdtemp(prefix="sluice-airflow-")))
    sys.path.append(str(REPOSITORY / "plugins"))


def run_bare(code: str, home: Path, *, path: Path | None = None, extra: Mapping[str, str] | None = None) -> str:
    """Run code in a process that has only Airflow's own settings; answers its output.

    Args:
        code: Python source.
        home: an empty folder: AIRFLOW_HOME and working directory.
        path: what is importable besides the site packages.
        extra: more environment.
    """
    environment = {"PATH": os.environ["PATH"], **settings(str(home)), **(extra or {})}
    if path:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def parse_bare(
    code: str, home: Path, *, before: str = "", extra: Mapping[str, str] | None = None, folder: Path = REPOSITORY
) -> str:
    """Parse the DAGs as the DAG processor does, in such a process, then run code on the `bag`.

    Args:
        code: Python source that follows the parsing.
        home: as above.
        before: Python source that precedes it.
        extra: more environment.
        folder: the DAG folder. In one of a test's own, a file may fail to parse.
    """
    parse = (
        "from pathlib import Path\n"
        "from airflow.dag_processing.dagbag import BundleDagBag\n"
        f"bag = BundleDagBag({str(folder)!r}, bundle_path=Path({str(folder)!r}), bundle_name='r')\n"
    )
    if folder == REPOSITORY:
        parse += "assert bag.dags and not bag.import_errors, bag.import_errors\n"
    return run_bare(before + parse + code, home, extra=extra)
