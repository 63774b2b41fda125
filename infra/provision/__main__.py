"""`python -m infra.provision check|scan|state|plan|apply|destroy [ENV] [name=value …]`: AWS by Terraform."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from infra.provision import scan, settings
from infra.provision.errors import ProvisionError
from infra.provision.settings import Environment
from infra.provision.terraform import Workspace

PLAN = "plan.bin"


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
        return change(Workspace.of(environment.name), action, environment, rest[1:])
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
        action: `plan`, `apply` or `destroy`.
        environment: that is changed.
        given: variables, `name=value`, which win over the environment's file.

    Returns:
        0; for `plan` 2 when there is something to change, and 1 when it failed.

    Raises:
        ProvisionError: Terraform failed.
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
    workspace.must("destroy", "-input=false", "-auto-approve", *variables)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
