"""`python3 -m infra.setup`: makes everything that `make run` and `make test` need. A second time is quick."""

from __future__ import annotations

import sys
import time

from infra.setup import class_archive, environments, jars, java, proxies
from infra.setup.steps import SetupError


def main() -> int:
    """Runs the steps in order. Returns 1 when a person must install something first."""
    started = time.monotonic()
    proxies.bypass_here()
    print("set-up", flush=True)
    try:
        runtime = java.check()
        print(f"  ready    Java: {runtime}", flush=True)
        environments.install()
        jars.install(runtime)
        class_archive.install(runtime)
    except SetupError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    print(f"set-up done in {time.monotonic() - started:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
