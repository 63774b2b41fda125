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


_CHANGED = "a deployment changes or takes away what it has made"
_ATHENA = "Athena reads the catalog and S3 for whoever asks"
_ASKED = (("glue:Get*", "*"), ("s3:Get*", "*"), ("s3:PutObject", "/athena/*"))
_CHANGES = (
    "glue:UpdateDatabase", "glue:DeleteDatabase", "athena:UpdateWorkGroup", "athena:DeleteWorkGroup",
    "athena:DeleteNamedQuery", "secretsmanager:UpdateSecret", "cloudtrail:UpdateTrail", "iam:UpdateRole",
    "iam:UpdateAssumeRolePolicy", "iam:ListPolicyVersions", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion",
    "iam:DeletePolicy", "airflow:UpdateEnvironment", "emr-serverless:UpdateApplication", "kms:DeleteAlias",
    "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "sns:SetSubscriptionAttributes", "ec2:ModifyVpcEndpoint",
)  # fmt: skip
_BUDGETS = "a laptop has no Budgets"
_TAGS = "the local application tells its tags with everything else"
_OF_BUDGETS = ("ViewBudget", "ModifyBudget", "TagResource", "ListTagsForResource")
_OF_QUEUES = ("CreateQueue", "DeleteQueue", "GetQueueAttributes", "SetQueueAttributes", "TagQueue", "ListQueueTags")
_FILES = "OPTIMIZE and VACUUM of a layer, once it has small or old files"
_KEYS = "S3, Secrets Manager and SNS use the key for whoever calls; a laptop has no keys"
_DEPLOYMENT = (
    *((f"budgets:{action}", "*", _BUDGETS) for action in _OF_BUDGETS),
    *((action, "*", _CHANGED) for action in _CHANGES),
    *((f"sqs:{action}", "*", "dev has no queue for Slack or PagerDuty") for action in _OF_QUEUES),
    ("iam:CreateServiceLinkedRole", "*", "AWS makes a service's own role when an account uses the service first"),
    ("ec2:CreateNetworkInterface", "*", "EMR Serverless joins the network for whoever makes the application"),
    ("logs:AssociateKmsKey", "*", "AWS asks for it when a log group has a key"),
    ("cloudtrail:GetEventSelectors", "*", "AWS tells that a trail has selectors; the local one doesn't"),
    ("cloudtrail:GetInsightSelectors", "*", "AWS tells that a trail has selectors; the local one doesn't"),
    ("emr-serverless:ListTagsForResource", "*", _TAGS),
    ("athena:StopQueryExecution", "*", "people stop a query"),
    ("athena:ListNamedQueries", "*", "people look for the runbook's queries"),
)

EXCUSES: tuple[Excuse, ...] = (
    *(Excuse("deploy", action, resource, why) for action, resource, why in _DEPLOYMENT),
    Excuse("plan", "budgets:ViewBudget", "*", _BUDGETS),
    Excuse("plan", "budgets:ListTagsForResource", "*", _BUDGETS),
    Excuse("plan", "emr-serverless:ListTagsForResource", "*", _TAGS),
    Excuse("query", "s3:ListBucket", "*", _ATHENA),
    *(Excuse("query", action, resource, _ATHENA) for action, resource in _ASKED),
    *(Excuse("deploy", action, resource, _ATHENA) for action, resource in _ASKED),
    *(Excuse("*", f"kms:{action}", "*", _KEYS) for action in ("Decrypt", "GenerateDataKey")),
    Excuse("deploy", "kms:CreateGrant", "*", _KEYS),
    Excuse("*", "s3:AbortMultipartUpload", "*", "S3A and delta-rs, when an upload in parts fails"),
    Excuse("*", "s3:ListMultipartUploadParts", "*", "an upload in parts goes on"),
    Excuse("airflow", "airflow:InvokeRestApi", "*", "the emergency stop; on a laptop Airflow's API is asked directly"),
    Excuse(
        "airflow", "emr-serverless:TagResource", "/jobruns/*", "a retry that goes on with the job run of a lost try"
    ),
    Excuse("airflow", "sns:Publish", "-alerts-[clm]*", "alerts of other severities than a task that failed"),
    Excuse("*", "s3:ListBucket", "-code", "EMR Serverless itself, when it fetches a release"),
    Excuse("airflow", "s3:ListBucket", "-logs", "a driver's log that is not there yet"),
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
    *(Excuse("housekeeping", "s3:[PD]*Object", f"/{layer}/*", _FILES) for layer in ("bronze", "quarantine")),
    Excuse("operations", "s3:[PD]*Object", "/quarantine/*", "rows that a mended rule lets home"),
    Excuse("operations", "s3:[PD]*Object", "/_control/*", "messages that a mended rule makes events"),
    Excuse("operations", "s3:DeleteObject", "/bronze/*", "messages that a mended rule makes events"),
)


def reason(role: str, grant: Use) -> str:
    """Why a role may do what it did not do in the flow; empty when nobody knows."""
    return next((excuse.reason for excuse in EXCUSES if excuse.covers(role, grant)), "")
