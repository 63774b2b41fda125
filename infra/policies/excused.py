"""What is granted and not seen in the recorded flow, each with its reason."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from infra.local.aws.access.use import Use


class Excuse(NamedTuple):
    """Why a grant is there although the flow does not use it. `*`, `?` and `[…]` as in a shell.

    Attributes:
        role: that has it, without the project.
        action: that is granted.
        resource: how its ARN ends.
        reason: who needs it, and when.
    """

    role: str
    action: str
    resource: str
    reason: str

    def covers(self, role: str, grant: Use) -> bool:
        """Whether it is about this grant."""
        pairs = ((role, self.role), (grant.action, self.action), (grant.resource, f"*{self.resource}"))
        return all(fnmatchcase(text, pattern) for text, pattern in pairs)


EXCUSES: tuple[Excuse, ...] = (
    Excuse("*", "kms:*", "*", "S3, Secrets Manager and SNS use the key for whoever calls; a laptop has no keys"),
    Excuse("*", "s3:AbortMultipartUpload", "*", "S3A and delta-rs, when an upload in parts fails"),
    Excuse("airflow", "airflow:InvokeRestApi", "*", "the emergency stop; on a laptop Airflow's API is asked directly"),
    Excuse(
        "airflow", "emr-serverless:TagResource", "/jobruns/*", "a retry that goes on with the job run of a lost try"
    ),
    Excuse("airflow", "sns:Publish", "-alerts-[clm]*", "alerts of other severities than a task that failed"),
    Excuse("*", "s3:ListBucket", "-code", "EMR Serverless itself, when it fetches a release"),
    Excuse("*", "s3:DeleteObject", "/_locks/*", "who waited for a table takes its wish back"),
    # Not of Airflow and the report, which list job runs each time.
    Excuse("[!ar]*", "emr-serverless:ListJobRuns", "*", "whether the owner of a silent lease still lives"),
    Excuse("gold", "s3:GetObject", "/gold", "S3A, before it makes the first table of a layer that holds nothing"),
    Excuse("stream", "s3:GetObject", "/bronze", "S3A, before it makes the first table of a layer that holds nothing"),
    Excuse("silver", "s3:GetObject", "/gold/quality/*", "figures of a gate that was killed before it kept them"),
    Excuse("*", "glue:UpdateTable", "*", "a table whose columns have changed"),
    Excuse("housekeeping", "glue:CreateTable", "*", "a table that the catalog has lost"),
    Excuse("operations", "glue:CreateTable", "*", "a table that the catalog has lost"),
    Excuse("register", "s3:*Object", "/ops/run_ledger/*", "records that release 0.1.0 wrote are moved"),
    Excuse("register", "s3:*Object", "/gold/quality/*", "results that release 0.1.0 wrote are moved"),
    Excuse("housekeeping", "s3:[PD]*Object", "_history/*", "records of a month that is over are folded"),
    Excuse("housekeeping", "s3:DeleteObject", "/ops/run_ledger/*", "records of a month that is over are folded"),
    Excuse(
        "housekeeping", "s3:[PD]*Object", "/bronze/*", "OPTIMIZE and VACUUM of bronze, once a week has left something"
    ),
    Excuse("operations", "s3:[PD]*Object", "/quarantine/*", "rows that a mended rule lets home"),
    Excuse("operations", "s3:[PD]*Object", "/_control/*", "messages that a mended rule makes events"),
    Excuse("operations", "s3:DeleteObject", "/bronze/*", "messages that a mended rule makes events"),
)


def reason(role: str, grant: Use) -> str:
    """Why a role may do what it did not do in the flow; empty when nobody knows."""
    return next((excuse.reason for excuse in EXCUSES if excuse.covers(role, grant)), "")
