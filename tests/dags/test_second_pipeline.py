"""A pipeline is added to the DAG folder, and is not built yet, or broken: the DAGs of the others stay as they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.airflow_home import REPOSITORY, parse_bare

NOT_BUILT = '''"""A pipeline of which only the row exists."""

from __future__ import annotations

from jobs.lake.registry import Pipeline, Schedule, Table
from jobs.lake.settings import deployment
from sluice_airflow.pipeline_dag import pipeline_dag

SHOP = Pipeline("shop", "d", "shop-team", Schedule("hourly_shop", "0 * * * *", "Things."), (
    Table("bronze.things", "d", "shop-team", source="shop/things"),
    Table("silver.things", "d", "shop-team", depends_on=("bronze.things",), keys=("id",), order_by=("at",),
          no_zorder="small"),
    Table("gold.things", "d", "shop-team", depends_on=("silver.things",), keys=("id",), zorder_by=("id",)),
))
dag = pipeline_dag(SHOP, deployment(), doc=__doc__)
'''
BROKEN = "from airflow.sdk import DAG\nfrom jobs.nowhere import SHOP\n"
SHOW = """
import json
from airflow.serialization.serialized_objects import DagSerialization
dags = {name: DagSerialization.to_dict(dag)["dag"] for name, dag in bag.dags.items()}
for dag in dags.values():
    for place in ("fileloc", "_processor_dags_folder"):
        dag.pop(place, None)
print(json.dumps({"dags": dags, "errors": [Path(path).name for path in bag.import_errors]}, sort_keys=True))
"""


def parsed(folder: Path, home: Path) -> dict[str, Any]:
    home.mkdir()
    found: dict[str, Any] = json.loads(parse_bare(SHOW, home, folder=folder).splitlines()[-1])
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A DAG folder as the repository, with the one file more that a test writes."""
    made = tmp_path / "folder"
    shutil.copytree(REPOSITORY / "dags", made / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / ".airflowignore", made)
    (made / "jobs").symlink_to(REPOSITORY / "jobs")
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "added", "errors"), [(NOT_BUILT, {"hourly_shop"}, []), (BROKEN, set(), ["hourly_shop.py"])],
    ids=["not built yet", "broken"],
)  # fmt: skip
def test_added_pipeline_leaves_the_dags_of_the_others_as_they_are(
    source: str, added: set[str], errors: list[str], folder: Path, tmp_path: Path
) -> None:
    before = parsed(REPOSITORY, tmp_path / "before")["dags"]
    (folder / "dags" / "hourly_shop.py").write_text(source)
    after = parsed(folder, tmp_path / "after")
    assert after["errors"] == errors
    assert after["dags"].keys() - before.keys() == added
    assert {name: dag for name, dag in after["dags"].items() if name not in added} == before
