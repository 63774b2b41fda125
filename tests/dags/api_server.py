"""An Airflow API server over a new database that knows our DAGs, and no scheduler: `api_server.py PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from airflow.api_fastapi.app import create_app
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.utils.db import initdb

REPOSITORY = Path(__file__).resolve().parents[2]
BUNDLE = "dags-folder"

if __name__ == "__main__":
    initdb()
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(BundleDagBag(str(REPOSITORY), bundle_path=REPOSITORY, bundle_name=BUNDLE), BUNDLE, None)
    uvicorn.run(create_app("core"), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
