"""`python -m infra.security`: secrets in tree and history, licences and known vulnerabilities of the pinned packages.

Exit code: 0 all clean; 1 something is refused; 3 nothing is refused, but about some packages nobody could be asked.
"""

from __future__ import annotations

import sys

from infra.security import audit, licences, secrets
from infra.security.audit import Outcome


def main() -> Outcome:
    """Runs all three, also when one of them refuses."""
    print("security", flush=True)
    fine = [secrets.check(), licences.check()]
    packages = audit.check()
    outcome = packages if all(fine) else Outcome.REFUSED
    if outcome is Outcome.UNKNOWN:
        print(
            "UNKNOWN: the index that pip uses has no advisories, or is out of reach. Nothing is refused, but nobody "
            "knows whether the packages are vulnerable: run this again where the package index answers.",
            file=sys.stderr,
        )
    print(f"security: {outcome.name}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
