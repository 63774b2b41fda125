"""S3 on a laptop: `python -m infra.local.aws.object_store`. MiniStack, with the guard before it."""

from __future__ import annotations

from ministack import app

from infra.local.addresses import Addresses
from infra.local.aws.access.asgi import Guarded
from infra.local.aws.access.guard import Guard


def main() -> None:
    """Serves until a signal comes."""
    app.app = Guarded(app.app, Guard(Addresses.from_environment().home, "s3"))
    app.main()


if __name__ == "__main__":
    main()
