"""What Airflow makes of the plugin."""

from __future__ import annotations

from pathlib import Path

from tests import airflow_home

PLUGINS = airflow_home.REPOSITORY / "plugins"
LOAD = """
import sys
from airflow import plugins_manager
apps, _ = plugins_manager.get_fastapi_plugins()
(ours,) = [app for app in apps if app["url_prefix"] == "/quality"]
loaded = [name for name in sys.modules if name.partition(".")[0] in ("quality_page", "boto3")]
from airflow.api_fastapi.core_api.datamodels.plugins import PluginResponse
(info,) = [info for info in plugins_manager.get_plugin_info() if info["name"] == "sluice_quality"]
views = [(view.destination, view.href) for view in PluginResponse.model_validate(info).external_views]
from fastapi import FastAPI
from fastapi.testclient import TestClient
root = FastAPI()
root.mount("/quality", ours["app"])
status = TestClient(root).get("/quality/static/page.css").status_code
import importlib.util
print(loaded, views, status, importlib.util.find_spec("jobs"), importlib.util.find_spec("dq"), sep="|")
"""


def test_airflow_mounts_the_page_and_no_process_imports_it_before_it_is_asked(tmp_path: Path) -> None:
    loaded, views, status, *without = airflow_home.run_bare(LOAD, tmp_path, path=PLUGINS).splitlines()[-1].split("|")

    assert loaded == "[]"
    assert views == "[('nav', 'quality/'), ('dag', 'quality/?dag={DAG_ID}')]"
    assert status == "200"
    assert without == ["None", "None"], "the web server of MWAA has no DAG folder on its path"
