"""A job in a fork of a warm worker, for the runner the same as a driver of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.local.aws.emr.process import GRACE_SECONDS, PidFile, end_session
from infra.local.aws.emr.warm.pool import Worker
from infra.local.aws.emr.warm.request import WarmRequest

LOST = -9  # the exit code where the worker was killed before it could tell


class WarmProcess:
    """A started job.

    Attributes:
        pid: of the job's Python, which leads a session of its own.
    """

    def __init__(
        self, worker: Worker, request: WarmRequest, run_id: str, give_back: Callable[[Worker, bool], None]
    ) -> None:
        """Starts the job.

        Args:
            worker: a free one.
            request: the job.
            run_id: job run id.
            give_back: takes the worker, and whether it can be used again.

        Raises:
            OSError, EOFError: the worker has ended; it is given back.
        """
        self._worker = worker
        self._give_back = give_back
        self._code: int | None = None
        self._clean = False
        for log in (request.stdout, request.stderr):
            Path(log).parent.mkdir(parents=True, exist_ok=True)
            Path(log).write_bytes(b"")
        try:
            self.pid = worker.run(request)
        except (OSError, EOFError):
            give_back(worker, False)
            raise
        self._pid_file = PidFile(Path(request.folder), self.pid, run_id)

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None if the job still runs after `seconds`."""
        if self._code is None:
            try:
                answer = self._worker.answer(seconds)
            except EOFError:
                answer = {"code": LOST, "clean": False}
            if answer is not None:
                self._code, self._clean = answer["code"], answer["clean"]
        return self._code

    def stop(self, grace: float = GRACE_SECONDS) -> int:
        """Ends the job and what it has started. Returns its exit code.

        A job that did not end by itself costs its worker: the JVM may still be writing for it.
        """
        if self._code is None:
            self._give_up(grace)
        else:
            end_session(self.pid, grace)
            self._give_back(self._worker, self._clean)
        self._pid_file.remove()
        return LOST if self._code is None else self._code

    def _give_up(self, grace: float) -> None:
        end_session(self.pid, grace)
        self.wait(grace)
        self._give_back(self._worker, False)
