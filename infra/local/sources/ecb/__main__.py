from __future__ import annotations

from infra.local.addresses import Addresses
from infra.local.sources.ecb.app import application
from infra.local.sources.serving import serve

if __name__ == "__main__":
    addresses = Addresses.from_environment()
    serve(application(addresses.home), addresses.ecb)
