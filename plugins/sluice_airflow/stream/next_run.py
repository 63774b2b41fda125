"""The names of a stream's next job run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sluice_airflow.stream.runs import StreamRun


@dataclass(frozen=True)
class NextJobRun:
    """What the next job run of a stream is called.

    The names follow from the job run before it. A task that submits a second time, because the first answer was lost,
    asks for the same job run, and EMR Serverless answers with that one. Two different job runs never share a name,
    even where a local EMR Serverless has forgotten the earlier ones. A lease needs this: it belongs to the job run of
    that name.

    Attributes:
        name: of the job run.
        token: client token, 64 characters.
        run_id: in the records of what the stream writes.
    """

    name: str
    token: str
    run_id: str

    @classmethod
    def after(cls, previous: StreamRun | None, *, prefix: str, code: str, first_by: str) -> NextJobRun:
        """The job run that follows another one.

        Args:
            previous: the newest; None when there is none.
            prefix: of the names of the stream's job runs.
            code: hash of the release to start.
            first_by: who starts the first one.
        """
        origin = previous.id if previous else f"first {first_by}"
        digest = hashlib.sha256(json.dumps([prefix, origin, code]).encode()).hexdigest()
        mark, number = digest[:12], previous.number + 1 if previous else 1
        return cls(f"{prefix}code {code} #{mark} start {number}", digest, f"stream__{number}__{mark}")
