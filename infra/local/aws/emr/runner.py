"""Executes job runs: waits for a free slot, starts `spark-submit`, watches it, uploads logs, retries, cancels."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.aws.access import caller
from infra.local.aws.emr.job_run import BATCH, STREAMING, TERMINAL, JobRun
from infra.local.aws.emr.logs import LogShipper, download, last_exceptions
from infra.local.aws.emr.process import GRACE_SECONDS, JobProcess, remove_orphans
from infra.local.aws.emr.spark_submit import Submission, platform_variables, submission
from infra.local.aws.emr.warm.pool import Pool
from infra.local.aws.emr.warm.process import WarmProcess
from infra.local.aws.emr.warm.request import warm_request
from infra.setup.spark_conf import FEW_ROWS, local_conf

POLL_SECONDS = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Limits that depend on the machine, and times that a test shortens.

    Attributes:
        concurrent: BATCH job runs at the same time; two cores are busy with two. Others are QUEUED. Streams have as
            many slots of their own, as each keeps its slot for its whole life.
        minute: seconds that a minute of `executionTimeoutMinutes` lasts.
        ship: seconds between two uploads of a running job's log.
        warm: whether applications get the pre-initialised workers that they ask for.
    """

    concurrent: int = 2
    minute: float = 60.0
    ship: float = 30.0
    warm: bool = True

    @classmethod
    def from_environment(cls) -> Limits:
        return cls(
            concurrent=int(os.environ.get("LOCAL_EMR_MAX_CONCURRENT") or cls.concurrent),
            minute=float(os.environ.get("LOCAL_EMR_MINUTE_SECONDS") or cls.minute),
            ship=float(os.environ.get("LOCAL_EMR_SHIP_SECONDS") or cls.ship),
            warm=os.environ.get("LOCAL_EMR_WARM") != "0",
        )


class JobRunner:
    """Executes job runs, a few at a time, in the order of their start."""

    def __init__(self, root: Path, limits: Limits) -> None:
        """Opens the runner. A job's folder is `<root>/<application>/<run>/`."""
        self._root = root
        self._limits = limits
        self._pool = Pool(root / "warm")
        self._slots = {
            mode: ThreadPoolExecutor(limits.concurrent, thread_name_prefix=f"{mode.lower()}-job-run")
            for mode in (BATCH, STREAMING)
        }
        self._lock = threading.Lock()
        self._futures: dict[JobRun, Future[None]] = {}

    def recover(self) -> None:
        """Ends what an earlier server has left. Only the server that holds the port may call it."""
        remove_orphans(self._root)

    @property
    def minute(self) -> float:
        """Seconds that a minute of a time limit lasts."""
        return self._limits.minute

    def keep_warm(self, application: str, drivers: int) -> None:
        """Keeps so many pre-initialised drivers for an application from now on."""
        if self._limits.warm:
            conf = local_conf(os.environ["AWS_ENDPOINT_URL_S3"])
            self._pool.keep(application, drivers, conf, {**os.environ, **platform_variables()})

    def folder(self, run: JobRun) -> Path:
        return self._root / run.request.application_id / run.id

    def logs(self, run: JobRun, attempt: int) -> Path:
        """The folder of an attempt's `stdout` and `stderr`."""
        return self.folder(run) / f"attempt-{attempt}"

    def start(self, run: JobRun) -> None:
        """Runs it as soon as a slot is free."""
        self.folder(run).mkdir(parents=True)
        with self._lock:
            self._futures = {known: future for known, future in self._futures.items() if not future.done()}
            mode = run.request.mode
            if sum(known.request.mode == mode for known in self._futures) >= self._limits.concurrent:
                _move(run, "QUEUED")
            self._futures[run] = self._slots[mode].submit(self._run, run)

    def cancel(self, run: JobRun, reason: str) -> None:
        """Ends a run. One that still waits for a slot is CANCELLED at once."""
        if run.state in TERMINAL:
            return
        run.cancel(reason)
        logger.info("job run %s CANCELLING: %s", run.id, reason)
        with self._lock:
            future = self._futures.get(run)
        if future is not None and future.cancel():
            _move(run, "CANCELLED", reason)

    def close(self) -> None:
        """Ends every run and waits until its processes are gone."""
        with self._lock:
            running = dict(self._futures)
        for run in running:
            self.cancel(run, "The local EMR Serverless was stopped")
        wait(running.values(), timeout=3 * GRACE_SECONDS)
        for slots in self._slots.values():
            slots.shutdown(wait=False, cancel_futures=True)
        self._pool.close()

    def _run(self, run: JobRun) -> None:
        deadline = None
        if run.request.timeout_minutes:
            deadline = time.monotonic() + run.request.timeout_minutes * self._limits.minute
        try:
            while not self._attempt(run, deadline) and run.may_retry():
                run.retry()
        except Exception as error:  # a bug in this server must show as a failed run, not as an endless one
            logger.exception("job run %s", run.id)
            _move(run, "FAILED", f"The local EMR Serverless failed: {type(error).__name__}: {error}")
        finally:
            for scratch in ("files", "tmp"):
                shutil.rmtree(self.folder(run) / scratch, ignore_errors=True)

    def _attempt(self, run: JobRun, deadline: float | None) -> bool:
        """Tries the job once. Returns False if it failed."""
        if run.cancelled.is_set():
            _move(run, "CANCELLED", run.cancel_reason)
            return True
        _move(run, "PENDING")
        _move(run, "SCHEDULED")
        number = run.attempt.number
        logs = self.logs(run, number)
        try:
            process = self._start(run, logs)
        except (BotoCoreError, ClientError, OSError) as error:
            _move(run, "FAILED", f"Job failed before its driver started: {error}")
            return False
        _move(run, "RUNNING")
        own = caller.credentials(run.request.execution_role)
        shipper = LogShipper(logs, run.request.log_uri, run.request.log_prefix(run.id, number), own)
        try:
            self._watch(run, process, shipper, deadline)
        finally:
            code = process.stop()
            shipper.ship()
        if run.cancelled.is_set():
            _move(run, "CANCELLED", run.cancel_reason)
        elif code == 0:
            _move(run, "SUCCESS")
        else:
            _move(run, "FAILED", _failure(code, logs))
        return run.state != "FAILED"

    def _watch(
        self, run: JobRun, process: JobProcess | WarmProcess, shipper: LogShipper, deadline: float | None
    ) -> None:
        """Returns when the leader has ended, or the run shall end."""
        shipped = time.monotonic()
        while process.wait(POLL_SECONDS) is None and not run.cancelled.is_set():
            now = time.monotonic()
            if deadline is not None and now > deadline:
                run.cancel(f"Job run timed out after {run.request.timeout_minutes} minutes")
            elif now - shipped > self._limits.ship:
                shipper.ship()
                shipped = time.monotonic()

    def _start(self, run: JobRun, logs: Path) -> JobProcess | WarmProcess:
        folder, own = self.folder(run), caller.credentials(run.request.execution_role)
        wanted = submission(
            run.request.job_driver,
            run.request.overrides,
            name=run.request.name or run.id,
            environment={**os.environ, **own, "SPARK_LOCAL_DIRS": str(folder / "tmp")},
            fetch=lambda uri: download(uri, folder / "files", own),
            defaults={} if run.request.mode == STREAMING else FEW_ROWS,
        )
        (folder / "command.txt").write_text(shlex.join(wanted.arguments))
        return self._start_warm(run, wanted, logs) or JobProcess(
            wanted.arguments, wanted.environment, folder, logs, run.id
        )

    def _start_warm(self, run: JobRun, wanted: Submission, logs: Path) -> WarmProcess | None:
        """Starts it in a warm worker, if there is one that can run it."""
        application = run.request.application_id
        if run.request.mode == STREAMING:
            return None
        worker = self._pool.take(application, step=wanted.entry_point[1:2])
        if worker is None:
            return None
        request = warm_request(wanted, worker.conf, self.folder(run), logs, run.id)
        if request is None:
            self._pool.give_back(application, worker, clean=True)
            return None
        try:
            return WarmProcess(
                worker, request, run.id, lambda used, clean: self._pool.give_back(application, used, clean=clean)
            )
        except (OSError, EOFError) as error:
            logger.warning("job run %s starts cold: %s", run.id, error)
            return None


def _move(run: JobRun, state: str, details: str = "") -> None:
    if run.move(state, details):
        logger.info("job run %s %s (attempt %d) %s", run.id, state, run.attempt.number, details)


def _failure(code: int, logs: Path) -> str:
    code = code if code >= 0 else 128 - code  # after a signal: the exit code that a container would have
    return (
        "Job failed, please check complete logs in configured logging destination. "
        f"ExitCode: {code}. Last few exceptions: {last_exceptions(logs)}"
    )
