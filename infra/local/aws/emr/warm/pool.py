"""The warm workers of each application: how many there are, which is free, and when one has done enough."""

from __future__ import annotations

import json
import logging
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import psutil

from infra.local.aws.emr.process import GRACE_SECONDS, NICENESS, end_session, session
from infra.local.aws.emr.warm.request import WarmRequest

START_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """When a worker is replaced, although nothing went wrong.

    Attributes:
        jobs: jobs of one JVM.
        megabytes: resident memory of a worker: JVM and Python. Twelve jobs of three days took 1,000.
    """

    jobs: int = 60
    megabytes: int = 2200


class Worker:
    """A worker's process, as this server sees it.

    Attributes:
        conf: what its JVM was started with.
        jobs: how many it has been given.
        steps: the first arguments of these. What such a job needs is compiled in this JVM.
    """

    def __init__(self, folder: Path, conf: Mapping[str, str], environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.conf = conf
        self.jobs = 0
        self.steps: set[tuple[str, ...]] = set()
        self._folder = folder
        command = [sys.executable, "-m", "infra.local.aws.emr.warm.worker", str(folder), json.dumps(dict(conf))]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["nice", "-n", NICENESS, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True, name=f"warm-worker-{self._process.pid}").start()
        self._ready = False

    def _read(self) -> None:
        for line in cast(IO[bytes], self._process.stdout):
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def answer(self, seconds: float) -> dict[str, Any] | None:
        """The next answer; None if there is none yet.

        Raises:
            EOFError: the worker has ended.
        """
        try:
            found = self._answers.get(timeout=seconds)
        except queue.Empty:
            return None
        if found is None:
            self._answers.put(None)  # for whoever asks again
            raise EOFError(f"warm worker {self._process.pid} has ended: {self._folder / 'log'}")
        return found

    def ready(self, seconds: float) -> bool:
        """Whether it can take a job, at the latest after `seconds`."""
        try:
            self._ready = self._ready or self.answer(seconds) is not None
            return self._ready and self._process.poll() is None
        except EOFError as error:
            logger.warning("%s", error)
            return False

    def run(self, request: WarmRequest) -> int:
        """Gives it a job; returns the process id of the job's Python.

        Raises:
            OSError, EOFError: the worker has ended.
        """
        self.jobs += 1
        self.steps.add(request.arguments[:1])
        jobs = cast(IO[bytes], self._process.stdin)
        jobs.write(json.dumps(request.document()).encode() + b"\n")
        jobs.flush()
        answer = self.answer(START_SECONDS)
        if answer is None:
            raise OSError("the warm worker does not fork")
        return int(answer["pid"])

    def within(self, bounds: Bounds) -> bool:
        members = session(self._process.pid)
        megabytes = sum(_resident(member) for member in members) / 1e6
        return self.jobs < bounds.jobs and megabytes < bounds.megabytes

    def end(self, grace: float = GRACE_SECONDS) -> None:
        """Ends it, its JVM and what that has started."""
        try:
            cast(IO[bytes], self._process.stdin).close()
        except OSError:
            logger.debug("the worker was gone already")
        end_session(self._process.pid, grace)
        self._process.wait()


class Pool:
    """The workers of all applications."""

    def __init__(self, root: Path, bounds: Bounds | None = None) -> None:
        """Opens a pool without workers. A worker's folder is `<root>/warm-<drawn>`."""
        self._root = root
        self._bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[int, Mapping[str, str], Mapping[str, str]]] = {}
        self._idle: dict[str, list[Worker]] = {}
        self._all: dict[str, list[Worker]] = {}

    def keep(self, application: str, count: int, conf: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Keeps so many workers for an application from now on; those that are too many end after their job."""
        with self._lock:
            self._wanted[application] = (count, conf, environment)
            self._fill(application)
            spare = []
            while self._idle[application] and len(self._all[application]) > count:
                spare.append(self._idle[application].pop())
                self._all[application].remove(spare[-1])
        for worker in spare:
            worker.end(grace=1)

    def _fill(self, application: str) -> None:
        count, conf, environment = self._wanted[application]
        every, idle = self._all.setdefault(application, []), self._idle.setdefault(application, [])
        while len(every) < count:
            worker = Worker(self._root / f"warm-{secrets.token_hex(4)}", conf, environment)
            every.append(worker)
            idle.append(worker)

    def take(self, application: str, step: tuple[str, ...] = ()) -> Worker | None:
        """A worker that can take a job, best one that has had the same step; waits for one that is starting.

        None if there is none, or it does not start.
        """
        with self._lock:
            idle = self._idle.get(application) or []
            if not idle:
                return None
            ready = [each for each in idle if each.ready(0)]
            worker = next((each for each in ready if step in each.steps), (ready or idle)[0])
            idle.remove(worker)
        if worker.ready(START_SECONDS):
            return worker
        self.give_back(application, worker, clean=False)
        return None

    def give_back(self, application: str, worker: Worker, *, clean: bool) -> None:
        """Takes a worker back. One that may hold something of its job ends before this returns, and is replaced."""
        keep = clean and worker.within(self._bounds)
        with self._lock:
            every, (count, *_) = self._all[application], self._wanted[application]
            if keep and len(every) <= count:
                self._idle[application].append(worker)
                return
            every.remove(worker)
        worker.end(grace=1)
        with self._lock:
            self._fill(application)

    def close(self) -> None:
        """Ends all workers, and starts none again."""
        with self._lock:
            workers = [worker for every in self._all.values() for worker in every]
            self._wanted = {application: (0, conf, env) for application, (_, conf, env) in self._wanted.items()}
            self._idle = {application: [] for application in self._idle}
        for worker in workers:
            worker.end(grace=1)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
