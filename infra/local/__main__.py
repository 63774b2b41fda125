"""`python -m infra.local up|down|status|env|run|job|events|sql|emergency`: the local platform from a shell."""

from __future__ import annotations

import argparse
import sys

import requests
from botocore.exceptions import EndpointConnectionError

from infra.local import athena, commands, emergency, exports, job
from infra.local.addresses import Addresses
from infra.local.errors import PlatformError
from infra.local.kafka import produce
from infra.setup import proxies


def main(arguments: list[str]) -> int:
    """Runs a command. Returns its exit code."""
    given = _parse(arguments)
    proxies.bypass_here()
    addresses = Addresses.from_environment()
    try:
        match given.command:
            case "up":
                commands.up(addresses)
            case "down":
                commands.down(addresses)
            case "status":
                return commands.show_status(addresses)
            case "env":
                print(exports.text(addresses))
            case "sql":
                print(athena.query(addresses, given.statement, database=given.database))
            case "job":
                return job.run(addresses, job.words(given.arguments))
            case "events":
                print(produce.produce(addresses, given.number, given.broken / 100))
            case "emergency":
                return emergency.act(addresses, given.action, given.who, given.why)
            case "run":
                return commands.run(addresses)
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    except (EndpointConnectionError, requests.ConnectionError) as error:
        print(f"{error}\nIs the platform up? `make status` shows it, `make up` starts it.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands_ = parser.add_subparsers(dest="command", required=True)
    commands_.add_parser("up", help="start the platform and wait until it is healthy")
    commands_.add_parser("down", help="stop it")
    commands_.add_parser("status", help="show its parts")
    commands_.add_parser("env", help="print what clients need to reach it, as exports")
    commands_.add_parser("run", help="run the daily DAG for three days and print gold")
    by_hand = commands_.add_parser("job", help="run one step as a job run: job quarantine.replay silver.orders")
    by_hand.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of run.py, or all of them in one text")
    events = commands_.add_parser("events", help="send order events to Kafka")
    events.add_argument("number", type=int, help="how many events")
    events.add_argument("--broken", type=float, default=0.0, help="percentage of broken events, of each kind in turn")
    stop = commands_.add_parser("emergency", help="stop everything, or let what ran run again")
    stop.add_argument("action", choices=["stop", "undo"])
    stop.add_argument("--who", default="", help="who decided it")
    stop.add_argument("--why", default="", help="and why")
    sql = commands_.add_parser("sql", help="run a statement through the Athena API")
    sql.add_argument("statement")
    sql.add_argument("--database", default="silver", help="database of table names that give none (default: silver)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
