"""The MWAA service: environments that are created, updated and deleted in threads, as MWAA does in half an hour."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local import listeners
from infra.local.addresses import ACCOUNT_ID, HOST
from infra.local.aws.emr.process import remove_orphans
from infra.local.aws.mwaa import environment as states
from infra.local.aws.mwaa.bucket import Source, credentials
from infra.local.aws.mwaa.containers import Airflow, Containers, Plan
from infra.local.aws.mwaa.environment import Environment, created, updated
from infra.local.aws.mwaa.errors import BrokenEnvironmentError, invalid, not_found
from infra.local.aws.mwaa.variables import PROCESS_VARIABLE
from infra.setup.environments import AIRFLOW_VERSION

SYNC_SECONDS = 30.0  # MWAA's

logger = logging.getLogger(__name__)


@dataclass
class _Kept:
    """An environment and what runs of it."""

    environment: Environment
    running: Containers | None = None
    source: Source | None = None


class Environments:
    """All environments. A folder below the root for each."""

    def __init__(
        self, root: Path, launch: Callable[[Plan], Containers] = Airflow, *, sync: float | None = None
    ) -> None:
        """Opens the service.

        Args:
            root: folder of the environments' folders.
            launch: makes what runs.
            sync: seconds between two looks at the DAG prefixes; by default LOCAL_MWAA_SYNC_SECONDS, or MWAA's 30.
        """
        self._root = root
        self._launch = launch
        self._sync = sync or float(os.environ.get("LOCAL_MWAA_SYNC_SECONDS") or SYNC_SECONDS)
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._syncing = threading.Thread(target=self._keep_in_sync, name="mwaa-sync", daemon=True)

    def recover(self) -> None:
        """Ends what an earlier server has left, and starts its environments again.

        Only the server that holds the port may call it, and it must answer: the environments ask it for their role.
        """
        remove_orphans(self._root, PROCESS_VARIABLE)
        for record in sorted(self._root.glob(f"*/{states.RECORD}")):
            environment = Environment.load(record.parent)
            self._kept[environment.name] = kept = _Kept(environment)
            if environment.status == states.CREATING:
                self._begin(kept, self._create)
            elif environment.status == states.DELETING:
                self._begin(kept, self._delete)
            elif environment.status != states.CREATE_FAILED:
                after = environment.status if environment.status in states.READY else states.UPDATE_FAILED
                environment.status = states.MAINTENANCE
                self._begin(kept, partial(self._resume, status=after))
        self._syncing.start()

    def close(self) -> None:
        """Ends all processes. Their environments are started again by the next server."""
        self._closing.set()
        for kept in list(self._kept.values()):
            if kept.running is not None:
                kept.running.stop()

    def create(self, region: str, asked: dict[str, Any]) -> Environment:
        """Begins an environment."""
        self._refuse_version(asked)
        with self._lock:
            if asked["Name"] in self._kept:
                raise invalid(f"An environment named {asked['Name']} already exists.")
            environment = Environment(asked["Name"], region, ACCOUNT_ID, created(asked), dict(asked.get("Tags", {})))
            environment.begin(states.CREATING)
            self._kept[environment.name] = kept = _Kept(environment)
            self._save(kept)
        self._begin(kept, self._create)
        return environment

    def update(self, region: str, asked: dict[str, Any]) -> Environment:
        """Begins an update. If it fails, what ran before runs again."""
        self._refuse_version(asked)
        with self._lock:
            kept = self._idle(region, asked["Name"])
            if kept.environment.status not in states.READY:
                raise invalid(f"Environments with {kept.environment.status} status can't be updated.")
            kept.environment.begin(states.UPDATING, asked.get("WorkerReplacementStrategy"))
            self._save(kept)
        wanted = updated(kept.environment.settings, asked)
        self._begin(kept, partial(self._update, wanted=wanted))
        return kept.environment

    def delete(self, region: str, name: str) -> None:
        """Begins the end of an environment."""
        with self._lock:
            kept = self._idle(region, name)
            kept.environment.begin(states.DELETING)
            self._save(kept)
        self._begin(kept, self._delete)

    def find(self, region: str, name: str) -> Environment:
        """An environment. Raises ApiError when there is none."""
        return self._find(region, name).environment

    def names(self, region: str) -> list[str]:
        """Names of a region's environments, sorted."""
        return sorted(name for name, kept in list(self._kept.items()) if kept.environment.region == region)

    def tag(self, environment: Environment, tags: dict[str, str], without: list[str]) -> None:
        """Changes an environment's tags."""
        with self._lock:
            remaining = {key: value for key, value in {**environment.tags, **tags}.items() if key not in without}
            environment.tags = remaining
            self._save(self._find(environment.region, environment.name))

    def _find(self, region: str, name: str) -> _Kept:
        kept = self._kept.get(name)
        if kept is None or kept.environment.region != region:
            raise not_found(name)
        return kept

    def _idle(self, region: str, name: str) -> _Kept:
        kept = self._find(region, name)
        if kept.environment.status in states.BUSY:
            raise invalid(
                f"Environments with {kept.environment.status} status must complete previous operation "
                "before initiating a new operation."
            )
        return kept

    def _begin(self, kept: _Kept, work: Callable[[_Kept], None]) -> None:
        def run() -> None:
            try:
                work(kept)
            except Exception:  # a bug here shows as an environment that is not there, not as one that waits for ever
                logger.exception("environment %s", kept.environment.name)
                kept.environment.fail(states.UNAVAILABLE, "The local MWAA failed: its log says why.")
            if kept.environment.name in self._kept and not self._closing.is_set():
                self._save(kept)
                logger.info("environment %s %s", kept.environment.name, kept.environment.status)

        threading.Thread(target=run, name=f"mwaa-{kept.environment.name}", daemon=True).start()

    def _create(self, kept: _Kept) -> None:
        environment = kept.environment
        shutil.rmtree(self._folder(kept) / "files", ignore_errors=True)
        try:
            environment.settings |= self._fetch(kept, environment.settings, 1)
            self._start(kept, environment.settings, 1)
        except BrokenEnvironmentError as error:
            environment.fail(states.CREATE_FAILED, str(error))
        else:
            environment.succeed()

    def _update(self, kept: _Kept, wanted: dict[str, Any]) -> None:
        environment, before = kept.environment, kept.environment.generation
        try:
            wanted |= self._fetch(kept, wanted, before + 1)
        except BrokenEnvironmentError as error:  # what runs was not touched
            self._forget_files(kept, before + 1)
            environment.fail(states.UPDATE_FAILED, str(error))
            return
        try:
            self._stop(kept)
            self._start(kept, wanted, before + 1)
        except BrokenEnvironmentError as error:
            if self._closing.is_set():
                return
            environment.fail(states.ROLLING_BACK, str(error))
            self._resume(kept, states.UPDATE_FAILED)
            self._forget_files(kept, before + 1)
        else:
            environment.settings = wanted
            environment.succeed()
            self._forget_files(kept, before)

    def _resume(self, kept: _Kept, status: str) -> None:
        """Starts what has run before, with the files that it had."""
        environment = kept.environment
        try:
            self._start(kept, environment.settings, environment.generation)
        except BrokenEnvironmentError as error:
            environment.fail(states.UNAVAILABLE, str(error))
        else:
            environment.status = status

    def _delete(self, kept: _Kept) -> None:
        self._stop(kept)
        shutil.rmtree(self._folder(kept), ignore_errors=True)
        with self._lock:
            del self._kept[kept.environment.name]

    def _fetch(self, kept: _Kept, settings: dict[str, Any], generation: int) -> dict[str, str]:
        """Brings the files of a new generation. Gives the versions that it took."""
        known = credentials(settings["ExecutionRoleArn"], kept.environment.name)
        return Source(settings, known).fetch(self._files(kept, generation))

    def _start(self, kept: _Kept, settings: dict[str, Any], generation: int) -> None:
        environment = kept.environment
        known = credentials(settings["ExecutionRoleArn"], environment.name)
        if not environment.port or listeners.taken(environment.port):
            environment.port = _free_port()
        plan = Plan(
            environment.name, environment.region, self._folder(kept), self._files(kept, generation), environment.port,
            known, settings.get("AirflowConfigurationOptions", {}),
        )  # fmt: skip
        started = self._launch(plan)
        kept.running = started
        if self._closing.is_set():
            raise BrokenEnvironmentError("The local AWS is being stopped")
        started.start()
        kept.source = Source(settings, known)
        environment.generation = generation

    def _stop(self, kept: _Kept) -> None:
        kept.source = None
        if kept.running is not None:
            kept.running.stop()
            kept.running = None

    def _keep_in_sync(self) -> None:
        while not self._closing.wait(self._sync):
            for kept in list(self._kept.values()):
                source, running = kept.source, kept.running
                if source is None or running is None or kept.environment.status not in states.READY:
                    continue
                try:
                    if count := source.sync(self._files(kept, kept.environment.generation)):
                        logger.info("environment %s: %d files of its DAG prefix", kept.environment.name, count)
                    running.revive()
                except (BotoCoreError, ClientError, BrokenEnvironmentError, OSError) as error:
                    logger.warning("environment %s: %s", kept.environment.name, error)

    def _refuse_version(self, asked: dict[str, Any]) -> None:
        if asked.get("AirflowVersion", AIRFLOW_VERSION) != AIRFLOW_VERSION:
            raise invalid(f"The local MWAA has Airflow {AIRFLOW_VERSION} alone, not {asked['AirflowVersion']}.")

    def _folder(self, kept: _Kept) -> Path:
        return self._root / kept.environment.name

    def _files(self, kept: _Kept, generation: int) -> Path:
        return self._folder(kept) / "files" / str(generation)

    def _forget_files(self, kept: _Kept, generation: int) -> None:
        shutil.rmtree(self._files(kept, generation), ignore_errors=True)

    def _save(self, kept: _Kept) -> None:
        with self._lock:
            kept.environment.save(self._folder(kept))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
