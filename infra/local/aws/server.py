"""The AWS control plane on a laptop: `python -m infra.local.aws.server`.

moto's server, but its EMR Serverless really runs `spark-submit`, its Athena really runs SQL, and its MWAA really runs
Airflow. It listens on 127.0.0.1. On SIGTERM or SIGINT it first ends Airflow and the running jobs, and then stops
answering.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from infra.local.addresses import HOST, Addresses
from infra.local.aws import answers, s3_policies
from infra.local.aws.access.guard import Guard
from infra.local.aws.access.wsgi import Guarded
from infra.local.aws.athena import responses as athena
from infra.local.aws.emr import away
from infra.local.aws.emr import responses as emr_serverless
from infra.local.aws.emr.page import JobPages
from infra.local.aws.emr.runner import JobRunner, Limits
from infra.local.aws.mwaa.responses import Mwaa
from infra.local.aws.mwaa.service import Environments

logger = logging.getLogger(__name__)


def main() -> None:
    """Serves until a signal comes."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("werkzeug", "botocore", "boto3"):  # a line per request: pollers would fill the disk
        logging.getLogger(chatty).setLevel(logging.WARNING)
    addresses = Addresses.from_environment()
    for name, value in addresses.environment().items():
        os.environ.setdefault(name, value)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())

    runner = JobRunner(addresses.home / "emr", Limits.from_environment())
    environments = Environments(addresses.home / "mwaa")
    server = _server(addresses, runner, environments)
    runner.recover()
    serving = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    environments.recover()
    serving.start()
    logger.info("AWS control plane at %s", addresses.aws)
    stopped.wait()
    logger.info("stopping")
    athena.close()
    environments.close()  # first: its DAGs would start jobs again
    runner.close()  # the server still answers: a job that is ending may need S3 or a secret
    server.shutdown()
    serving.join()


def _server(addresses: Addresses, runner: JobRunner, environments: Environments) -> BaseWSGIServer:
    emr_serverless.install(runner, addresses.aws)
    athena.install(addresses.home / "athena")
    s3_policies.install()
    answers.install()
    application = Mwaa(JobPages(DomainDispatcherApplication(create_backend_app)), environments)
    served = away.Away(Guarded(application, Guard(addresses.home, "aws")), away.mark(addresses.home))
    port = addresses.port + 1
    return make_server(HOST, port, served, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
