"""Whether a task instance still answers for its job run."""

from __future__ import annotations

from airflow.sdk import TaskInstanceState

# A worker or a trigger has the task instance, or a retry is to come that adopts its job run. In any other state, also
# in none (it was cleared, and a cleared task adopts nothing), nobody waits for the job run any more.
IN_CHARGE = frozenset(
    {
        TaskInstanceState.SCHEDULED,
        TaskInstanceState.QUEUED,
        TaskInstanceState.RUNNING,
        TaskInstanceState.RESTARTING,
        TaskInstanceState.UP_FOR_RETRY,
        TaskInstanceState.UP_FOR_RESCHEDULE,
        TaskInstanceState.DEFERRED,
    }
)


def answers(state: str | None) -> bool:
    """Whether a task instance in this state answers for its job run."""
    return state in IN_CHARGE
