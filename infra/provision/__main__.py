"""`python -m infra.provision check|scan|state|plan|apply|destroy [ENV] [name=value …]`: AWS by Terraform."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from infra.provision import application, scan, settings
from infra.provision.errors import ProvisionError
from infra.provision.settings import Environment
from infra.provision.terraform import Workspace

PLAN, DATA, DESTROY_DATA = "plan.bin", "data=", "destroy data"
# What runs and costs by the hour. Buckets, keys, secrets, the catalog and the trail stay: they are the data.
RUNNING = ("alerts", "cicd", "emr_serverless", "job_roles", "mwaa", "network", "observability", "streaming")


def main(arguments: Sequence[str]) -> int:
    """Runs a command. Returns 1 when it can't go on; `plan` returns 2 when there is something to change."""
    action, *rest = arguments or ["help"]
    try:
        if action == "check":
            Workspace.of("check").check()
            return 0
        if action == "scan":
            return scan.tell(scan.scan())
        if action not in ("state", "plan", "apply", "destroy"):
            raise ProvisionError(f"no command {action!r}: {__doc__}")
        environment = settings.read(rest[0] if rest else "")
        if action == "state":
            return _state(environment)
        given = [word for word in rest[1:] if not word.startswith(DATA)]
        if action == "destroy":
            action = what_to_destroy(environment, next((word for word in rest[1:] if word not in given), DATA))
        return change(Workspace.of(environment.name), action, environment, given)
    except ProvisionError as error:
        print(f"infra.provision: {error}", file=sys.stderr)
        return 1


def _state(environment: Environment) -> int:
    import boto3

    from infra.provision import state

    print(state.make(boto3.client("s3", region_name=environment.region), environment))
    return 0


def change(workspace: Workspace, action: str, environment: Environment, given: Sequence[str]) -> int:
    """Plans, applies the last plan, or destroys.

    Args:
        workspace: where the plan lies.
        action: `plan`; `apply`; `destroy`, which keeps what holds data; `destroy data`, which destroys all.
        environment: that is changed.
        given: variables, `name=value`, which win over the environment's file.

    Returns:
        0; for `plan` 2 when there is something to change, and 1 when it failed.

    Raises:
        ProvisionError: Terraform failed; or job runs are live where the application is to be destroyed.
    """
    variables = workspace.variables(environment, *given)
    plan = str(workspace.folder / PLAN)
    if action == "apply":  # exactly what was planned and read
        workspace.must("apply", "-input=false", plan)
        return 0
    workspace.connect(environment)
    if action == "plan":
        code = workspace.run("plan", "-input=false", "-detailed-exitcode", f"-out={plan}", *variables)
        return code if code in (0, 2) else 1
    options = ("-input=false", "-auto-approve")
    if found := workspace.outputs().get("settings", {}).get("SLUICE_EMR_APPLICATION_ID"):
        import boto3

        emr = boto3.client("emr-serverless", region_name=environment.region)
        application.refuse_live(emr, found)
        workspace.must("destroy", *options, "-target=module.mwaa", *variables)  # it would start job runs again
        application.stop(emr, found)
    kept = [] if action == DESTROY_DATA else [f"-target=module.{name}" for name in RUNNING]
    workspace.must("destroy", *options, *kept, *variables)
    return 0


def what_to_destroy(environment: Environment, told: str) -> str:
    """The action of a destroy. Told a second time, by `data=` and the name of the lake's bucket, it takes the data too.

    Raises:
        ProvisionError: it is another bucket's name.
    """
    if told == DATA:
        return "destroy"
    if told != f"{DATA}{environment.lake_bucket}":
        raise ProvisionError(f"{told.removeprefix(DATA)} is not the lake of {environment.name}: nothing was destroyed")
    return DESTROY_DATA


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
