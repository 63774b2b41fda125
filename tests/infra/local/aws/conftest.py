"""One AWS stand-in for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.addresses import REGION
from tests.infra.local.aws.athena.lake import Lake
from tests.infra.local.aws.stand_in import BUCKET, Jobs, Server, start_server

PORT = 18200


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = start_server(tmp_path_factory.mktemp("aws"), PORT)
    started.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield started
    started.end()


@pytest.fixture(scope="session")
def jobs(server: Server) -> Jobs:
    return Jobs(server)


@pytest.fixture(scope="session")
def lake(server: Server) -> Lake:
    small = Lake(server)
    small.fill()
    return small
