"""`python -m infra.policies [report|record|enforce|relax]`: what roles may do, and what they do."""

from __future__ import annotations

import argparse
import json
import sys

from infra.local.addresses import Addresses
from infra.local.aws.access import policies
from infra.policies import granted, recorded, report
from infra.provision import settings
from infra.provision.errors import ProvisionError


def main(arguments: list[str]) -> int:
    """Runs a command. Returns its exit code: 1 when a role lacks what it uses, or has what nothing uses."""
    parser = argparse.ArgumentParser(prog="python -m infra.policies", description=__doc__)
    commands = {
        "report": "compare Terraform's policies with the recorded flow",
        "record": "keep what this platform's roles have used as the recorded flow",
        "enforce": "let this platform refuse what Terraform's policies do not allow",
        "relax": "let it allow everything again",
    }
    parser.add_argument("command", nargs="?", choices=commands, default="report", help=str(commands))
    addresses = Addresses.from_environment()
    try:
        match parser.parse_args(arguments).command:
            case "report":
                compared = comparisons(addresses)
                print(report.text(compared))
                return 0 if all(row.exact for row in compared) else 1
            case "record":
                recorded.write(recorded.of_platform(addresses))
                print(f"written: {recorded.FILE}")
            case "enforce":
                _enforce(addresses)
            case "relax":
                policies.file(addresses.home).unlink(missing_ok=True)
    except ProvisionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def comparisons(addresses: Addresses) -> list[report.Comparison]:
    """Each role's policy beside what it uses."""
    used = {**recorded.read(), **recorded.read(recorded.DEPLOYMENT)}
    found = {**granted.documents(addresses), **granted.of_deployment(settings.read("dev"))}
    names = {role: role.removeprefix("github-").removeprefix(f"{addresses.project}-") for role in found}
    names = {role: name.removeprefix("job-") for role, name in names.items()}
    besides = {granted.PLAN: granted.reading_lists()}
    return [report.compare(name, found[role], used[name], besides.get(name)) for role, name in names.items()]


def _enforce(addresses: Addresses) -> None:
    documents = granted.documents(addresses)
    new = policies.file(addresses.home).with_suffix(".new")
    new.write_text(json.dumps(documents, indent=1))
    new.replace(policies.file(addresses.home))
    print(f"enforced for {', '.join(documents)}: {policies.file(addresses.home)}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
