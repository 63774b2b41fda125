"""What kind of job a step is. Job runs of a kind share a role: `infra/terraform/modules/job_roles/kinds.tf`.

Standard library only, so that operators can import it.
"""

from __future__ import annotations

from jobs.lake import tables

KIND = "{kind}"  # what the setting of the roles' ARN has in place of a kind
STREAM = "stream"  # the step of a continuous table
OPERATIONS = "operations"  # what a person starts by hand
_BY_FIRST_WORD = {
    "bronze": "sources",
    "silver": "silver",
    "gate": "gate",
    "gold": "gold",
    "register": "register",
    "maintenance": "housekeeping",
    "report": "report",
    "canary": "canary",
}
KINDS = (*_BY_FIRST_WORD.values(), STREAM, OPERATIONS)


def kind(step: str) -> str:
    """The kind of a step, such as `sources` of `bronze.fx_rates`."""
    if any(table.continuous for table in tables.every() if table.name == step):
        return STREAM
    return _BY_FIRST_WORD.get(step.partition(".")[0], OPERATIONS)


def role(arn: str, step: str) -> str:
    """The ARN of a step's role.

    Args:
        arn: of the roles, with `{kind}` in place of a kind. An ARN without it is the role of all kinds.
        step: such as `gold.fact_orders`.
    """
    return arn.replace(KIND, kind(step))
