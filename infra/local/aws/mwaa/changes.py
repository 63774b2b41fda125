"""What becomes of one environment: made, updated, started again, brought back after a failed update, removed."""

from __future__ import annotations

import logging
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local import listeners
from infra.local.addresses import HOST
from infra.local.aws.mwaa import environment as states
from infra.local.aws.mwaa.bucket import Source
from infra.local.aws.mwaa.containers import Containers, Plan
from infra.local.aws.mwaa.environment import Environment
from infra.local.aws.mwaa.errors import BrokenEnvironmentError

logger = logging.getLogger(__name__)

Launch = Callable[[Plan], Containers]


class LiveEnvironment:
    """An environment and what runs of it.

    What came from its bucket lies in `files/<generation>`. An update fills the next one beside it, so that the files
    that ran before are there until the update has ended well.

    Attributes:
        environment: its record.
        folder: all of it.
    """

    def __init__(self, environment: Environment, folder: Path, launch: Launch, closing: threading.Event) -> None:
        """Takes over an environment of which nothing runs.

        Args:
            environment: its record.
            folder: all of it.
            launch: makes what runs.
            closing: set once nothing more may be started.
        """
        self.environment = environment
        self.folder = folder
        self._launch = launch
        self._closing = closing
        self._running: Containers | None = None
        self._source: Source | None = None

    def create(self) -> None:
        """Makes a new environment."""
        shutil.rmtree(self.folder / "files", ignore_errors=True)  # of a server that was stopped meanwhile
        try:
            self.environment.settings |= self._fetch(self.environment.settings, 1)
            self._start(self._prepared(self.environment.settings, 1), self.environment.settings, 1)
        except BrokenEnvironmentError as error:
            self.environment.fail(states.CREATE_FAILED, str(error))
        else:
            self.environment.succeed()

    def update(self, wanted: dict[str, Any]) -> None:
        """Replaces what runs by what these settings say; if that fails, what ran before runs again."""
        before = self.environment.generation
        self._forget_files(before + 1)  # of an update that a stop of the server has cut off
        try:
            wanted |= self._fetch(wanted, before + 1)
            prepared = self._prepared(wanted, before + 1)
        except BrokenEnvironmentError as error:  # what runs was not touched
            self._forget_files(before + 1)
            self.environment.fail(states.UPDATE_FAILED, str(error))
            return
        try:
            self.stop()
            self._start(prepared, wanted, before + 1)
        except BrokenEnvironmentError as error:
            if self._closing.is_set():
                return
            self.environment.fail(states.ROLLING_BACK, str(error))
            self.resume(states.UPDATE_FAILED)
            self._forget_files(before + 1)
        else:
            self.environment.settings = wanted
            self.environment.succeed()
            self._forget_files(before)

    def resume(self, status: str) -> None:
        """Starts what has run before, with the files that it had; its status is this one then."""
        settings, generation = self.environment.settings, self.environment.generation
        try:
            self._start(self._prepared(settings, generation), settings, generation)
        except BrokenEnvironmentError as error:
            self.environment.fail(states.UNAVAILABLE, str(error))
        else:
            self.environment.status = status

    def remove(self) -> None:
        """Ends it, and leaves nothing of it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """Ends what runs, or is being started by another thread."""
        self._source = None
        if (running := self._running) is not None:
            running.stop()

    def keep(self) -> None:
        """Starts again what has ended by itself, and brings the DAG folder to what the prefix holds now."""
        source, running = self._source, self._running
        if source is None or running is None or self.environment.status not in states.READY:
            return
        running.revive()
        if count := source.sync(self._files(self.environment.generation)):
            logger.info("environment %s: %d files of its DAG prefix", self.environment.name, count)

    def _fetch(self, settings: dict[str, Any], generation: int) -> dict[str, str]:
        """Brings the files of a new generation. Gives the versions that it took."""
        return Source(settings).fetch(self._files(generation))

    def _prepared(self, settings: dict[str, Any], generation: int) -> Containers:
        """What will run; nothing of it runs yet."""
        environment = self.environment
        if not environment.port or (environment.status != states.UPDATING and listeners.taken(environment.port)):
            environment.port = _free_port()
        prepared = self._launch(
            Plan(
                name=environment.name,
                region=environment.region,
                home=self.folder,
                files=self._files(generation),
                port=environment.port,
                role=settings["ExecutionRoleArn"],
                options=settings.get("AirflowConfigurationOptions", {}),
            )
        )
        prepared.prepare()
        return prepared

    def _start(self, prepared: Containers, settings: dict[str, Any], generation: int) -> None:
        self._running = prepared
        if self._closing.is_set():
            raise BrokenEnvironmentError("The local AWS is being stopped")
        prepared.start()
        self._source = Source(settings)
        self.environment.generation = generation

    def _files(self, generation: int) -> Path:
        return self.folder / "files" / str(generation)

    def _forget_files(self, generation: int) -> None:
        shutil.rmtree(self._files(generation), ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
