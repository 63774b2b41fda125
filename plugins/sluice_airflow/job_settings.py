"""The deployment's values that every job run needs, from the DAG to the operator."""

from __future__ import annotations

from typing import Protocol

VARIABLES = {
    "application_id": "SLUICE_EMR_APPLICATION_ID",
    "execution_role_arn": "SLUICE_EMR_ROLE_ARN",
    "release": "SLUICE_RELEASE",
    "log_uri": "SLUICE_CODE_BUCKET",
    "lake_bucket": "SLUICE_LAKE_BUCKET",
}


class Deployment(Protocol):
    """What of `jobs.lake.settings.Deployment` is needed: a plugin can't import the DAG folder."""

    @property
    def project(self) -> str: ...
    @property
    def lake_bucket(self) -> str: ...
    @property
    def code_bucket(self) -> str: ...
    @property
    def log_uri(self) -> str: ...
    @property
    def release(self) -> str: ...
    @property
    def emr_application_id(self) -> str: ...
    @property
    def emr_role_arn(self) -> str: ...


def job_settings(deployment: Deployment) -> dict[str, str]:
    """The `default_args` of a DAG of Spark steps. Unset values stay empty, so that the DAG parses."""
    return {
        "application_id": deployment.emr_application_id,
        "execution_role_arn": deployment.emr_role_arn,
        "release": deployment.release,
        "log_uri": deployment.log_uri if deployment.code_bucket else "",
        "lake_bucket": deployment.lake_bucket,
        "project": deployment.project,
    }


def driver_environment(operator: object) -> dict[str, str]:
    """What a step reads from its driver's environment: where its lake is, and where to ask which job runs live."""
    settings = {"project": "SLUICE_PROJECT", **{name: VARIABLES[name] for name in ("lake_bucket", "application_id")}}
    return {variable: getattr(operator, setting) for setting, variable in settings.items()}


def unset_variables(operator: object) -> list[str]:
    """The environment variables that this operator lacks when it is to run; of those settings that it takes."""
    taken = {setting: variable for setting, variable in VARIABLES.items() if hasattr(operator, setting)}
    return [variable for setting, variable in taken.items() if not getattr(operator, setting)]
