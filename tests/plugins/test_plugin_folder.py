from __future__ import annotations

from pathlib import Path

from tests import airflow_home

PLUGINS = airflow_home.REPOSITORY / "plugins"
FORMER = {"bounded_timetable.py", "emr_trigger.py"}  # names by which release 0.1 is in the database
LOAD = "import sys\nfrom airflow import plugins_manager\nprint(plugins_manager.get_import_errors())\n"


def test_operators_import_where_the_dag_folder_is_not_on_the_path(tmp_path: Path) -> None:
    modules = [path.relative_to(PLUGINS).with_suffix("") for path in (PLUGINS / "sluice_airflow").rglob("*.py")]
    imports = "\n".join(f"import {'.'.join(path.parts)}" for path in modules if path.name != "__init__")
    assert "sluice_airflow.pipeline_dag" in imports
    code = f"{imports}\nimport importlib.util; assert importlib.util.find_spec('jobs') is None"
    airflow_home.run_bare(code, tmp_path, path=PLUGINS)


def test_plugins_manager_skips_what_is_not_a_plugin_and_reports_no_error(tmp_path: Path) -> None:
    code = f"{LOAD}print([name for name in sys.modules if name.startswith('sluice_airflow.emr')])"
    assert airflow_home.run_bare(code, tmp_path, path=PLUGINS).splitlines()[-2:] == ["{}", "[]"]


def test_plugins_manager_does_not_import_the_amazon_provider(tmp_path: Path) -> None:
    code = f"{LOAD}print([name for name in sys.modules if name.startswith(('airflow.providers.amazon.aws', 'boto'))])"
    assert airflow_home.run_bare(code, tmp_path, path=PLUGINS).splitlines()[-2:] == ["{}", "[]"]


def test_every_module_that_is_not_a_plugin_is_ignored_by_the_plugins_manager() -> None:
    assert (PLUGINS / ".airflowignore").read_text().split() == ["sluice_airflow/", "quality_page/"]
    others = {path.name for path in PLUGINS.glob("*.py") if "AirflowPlugin" not in path.read_text()}
    assert others == FORMER
