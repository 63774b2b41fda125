"""`python3 -m infra.setup`: makes everything that `make run` and `make test` need. A second time is quick."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from infra.setup import environments, jars, java, proxies
from infra.setup.steps import SetupError


def main() -> int:
    """Runs the steps, side by side where none needs another. Returns 1 when a person must install something first."""
    started = time.monotonic()
    proxies.bypass_here()
    print("set-up", flush=True)
    try:
        runtime = java.check()
        print(f"  ready    Java: {runtime}", flush=True)
        _install()
    except SetupError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    print(f"set-up done in {time.monotonic() - started:.1f} s", flush=True)
    return 0


def _install() -> None:
    """The longest chain is uv and the job environment."""
    with ThreadPoolExecutor() as beside:
        others = [
            beside.submit(jars.install, "Delta, S3A, Kafka and JDBC jars", jars.LOCK),
            beside.submit(jars.install, "Kafka broker's jars", jars.BROKER),
        ]
        environments.install_uv()
        others.append(beside.submit(environments.install_airflow))
        environments.install_jobs()
        for other in others:
            other.result()


if __name__ == "__main__":
    raise SystemExit(main())
