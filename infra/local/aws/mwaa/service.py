"""The MWAA service: environments that are created, updated and deleted in threads, as MWAA does in half an hour."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.addresses import ACCOUNT_ID
from infra.local.aws.emr.process import remove_orphans
from infra.local.aws.mwaa import environment as states
from infra.local.aws.mwaa.changes import Launch, LiveEnvironment
from infra.local.aws.mwaa.containers import Airflow
from infra.local.aws.mwaa.environment import Environment, created, updated
from infra.local.aws.mwaa.errors import BrokenEnvironmentError, invalid, not_found
from infra.local.aws.mwaa.variables import PROCESS_VARIABLE
from infra.setup.environments import AIRFLOW_VERSION

SYNC_SECONDS = 30.0  # MWAA's

logger = logging.getLogger(__name__)


class Environments:
    """All environments. A folder below the root for each."""

    def __init__(self, root: Path, launch: Launch = Airflow, *, sync: float | None = None) -> None:
        """Opens the service.

        Args:
            root: folder of the environments' folders.
            launch: makes what runs.
            sync: seconds between two looks at the DAG prefixes; by default LOCAL_MWAA_SYNC_SECONDS, or MWAA's 30.
        """
        self._root = root
        self._launch = launch
        self._sync = sync or float(os.environ.get("LOCAL_MWAA_SYNC_SECONDS") or SYNC_SECONDS)
        self._live: dict[str, LiveEnvironment] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._syncing = threading.Thread(target=self._keep_in_sync, name="mwaa-sync", daemon=True)

    def recover(self) -> None:
        """Ends what an earlier server has left, and starts its environments again.

        Only the server that holds the port may call it.
        """
        remove_orphans(self._root, PROCESS_VARIABLE)
        for record in sorted(self._root.glob(f"*/{states.RECORD}")):
            environment = Environment.load(record.parent)
            live = self._open(environment)
            if environment.status == states.CREATING:
                self._begin(live, live.create)
            elif environment.status == states.DELETING:
                self._begin(live, partial(self._remove, live))
            elif environment.status != states.CREATE_FAILED:
                after = environment.status if environment.status in states.READY else states.UPDATE_FAILED
                environment.status = states.MAINTENANCE
                self._begin(live, partial(live.resume, after))
        self._syncing.start()

    def close(self) -> None:
        """Ends all processes. Their environments are started again by the next server."""
        self._closing.set()
        for live in list(self._live.values()):
            live.stop()

    def create(self, region: str, asked: dict[str, Any]) -> Environment:
        """Begins an environment."""
        _refuse_version(asked)
        with self._lock:
            if asked["Name"] in self._live:
                raise invalid(f"An environment named {asked['Name']} already exists.")
            environment = Environment(asked["Name"], region, ACCOUNT_ID, created(asked), dict(asked.get("Tags", {})))
            environment.begin(states.CREATING)
            live = self._open(environment)
            environment.save(live.folder)
        self._begin(live, live.create)
        return environment

    def update(self, region: str, asked: dict[str, Any]) -> Environment:
        """Begins an update. If it fails, what ran before runs again."""
        _refuse_version(asked)
        with self._lock:
            live = self._idle(region, asked["Name"])
            environment = live.environment
            if environment.status not in states.READY:
                raise invalid(f"Environments with {environment.status} status can't be updated.")
            environment.begin(states.UPDATING, asked.get("WorkerReplacementStrategy"))
            environment.save(live.folder)
        self._begin(live, partial(live.update, updated(environment.settings, asked)))
        return environment

    def delete(self, region: str, name: str) -> None:
        """Begins the end of an environment."""
        with self._lock:
            live = self._idle(region, name)
            live.environment.begin(states.DELETING)
            live.environment.save(live.folder)
        self._begin(live, partial(self._remove, live))

    def find(self, region: str, name: str) -> Environment:
        """An environment. Raises ApiError when there is none."""
        return self._find(region, name).environment

    def names(self, region: str) -> list[str]:
        """Names of a region's environments, sorted."""
        return sorted(name for name, live in list(self._live.items()) if live.environment.region == region)

    def tag(self, environment: Environment, tags: dict[str, str], without: list[str]) -> None:
        """Changes an environment's tags."""
        with self._lock:
            remaining = {key: value for key, value in {**environment.tags, **tags}.items() if key not in without}
            environment.tags = remaining
            environment.save(self._find(environment.region, environment.name).folder)

    def _open(self, environment: Environment) -> LiveEnvironment:
        live = LiveEnvironment(environment, self._root / environment.name, self._launch, self._closing)
        self._live[environment.name] = live
        return live

    def _find(self, region: str, name: str) -> LiveEnvironment:
        live = self._live.get(name)
        if live is None or live.environment.region != region:
            raise not_found(name)
        return live

    def _idle(self, region: str, name: str) -> LiveEnvironment:
        live = self._find(region, name)
        if live.environment.status in states.BUSY:
            raise invalid(
                f"Environments with {live.environment.status} status must complete previous operation "
                "before initiating a new operation."
            )
        return live

    def _begin(self, live: LiveEnvironment, work: Callable[[], None]) -> None:
        def run() -> None:
            environment = live.environment
            try:
                work()
            except Exception:  # a bug here shows as an environment that is not there, not as one that waits for ever
                logger.exception("environment %s", environment.name)
                environment.fail(states.UNAVAILABLE, "The local MWAA failed: its log says why.")
            with self._lock:
                # Of a change that a stop of the server has cut off, the record says that it goes on.
                if environment.name in self._live and not self._closing.is_set():
                    environment.save(live.folder)
                    reason = environment.last_update.get("Error", {}).get("ErrorMessage", "")
                    logger.info("environment %s %s %s", environment.name, environment.status, reason)

        threading.Thread(target=run, name=f"mwaa-{live.environment.name}", daemon=True).start()

    def _remove(self, live: LiveEnvironment) -> None:
        live.remove()
        with self._lock:
            del self._live[live.environment.name]

    def _keep_in_sync(self) -> None:
        while not self._closing.wait(self._sync):
            for live in list(self._live.values()):
                try:
                    live.keep()
                except (BotoCoreError, ClientError, BrokenEnvironmentError, OSError) as error:
                    logger.warning("environment %s: %s", live.environment.name, error)


def _refuse_version(asked: dict[str, Any]) -> None:
    if asked.get("AirflowVersion", AIRFLOW_VERSION) != AIRFLOW_VERSION:
        raise invalid(f"The local MWAA has Airflow {AIRFLOW_VERSION} alone, not {asked['AirflowVersion']}.")
