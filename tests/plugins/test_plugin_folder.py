from __future__ import annotations

from pathlib import Path

from tests import airflow_home

PLUGINS = airflow_home.REPOSITORY / "plugins"


def test_operators_import_where_the_dag_folder_is_not_on_the_path(tmp_path: Path) -> None:
    operators = ["emr.operator", "stream.keep_alive", "stream.watch", "table_tasks"]
    imports = "\n".join(f"import sluice_airflow.{name}" for name in operators)
    code = f"{imports}\nimport importlib.util; assert importlib.util.find_spec('jobs') is None"
    airflow_home.run_bare(code, tmp_path, path=PLUGINS)


def test_plugins_manager_skips_what_is_no_plugin_and_reports_no_error(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from airflow import plugins_manager\n"
        "print(plugins_manager.get_import_errors(), 'sluice_airflow.emr.operator' in sys.modules)"
    )
    assert airflow_home.run_bare(code, tmp_path, path=PLUGINS).splitlines()[-1] == "{} False"


def test_every_module_that_is_no_plugin_is_ignored_by_the_plugins_manager() -> None:
    assert (PLUGINS / ".airflowignore").read_text() == "sluice_airflow/\n"
    assert [path.name for path in PLUGINS.glob("*.py") if "AirflowPlugin" not in path.read_text()] == []
