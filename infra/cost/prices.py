"""List prices in US dollars, without tax, discount or free tier: the one place for them.

They are those of the region us-east-1 for Linux on x86, as public pages quoted AWS's price lists in 2026; noted on
29 November 2026. The pages themselves could not be opened then: compare them with your region's before you rely on a
total.
"""

from __future__ import annotations

from dataclasses import dataclass

REGION = "us-east-1"
NOTED = "2026-11-29"


@dataclass(frozen=True)
class Price:
    """What one unit costs.

    Attributes:
        usd: dollars.
        per: the unit.
        page: AWS's own page, where it can be compared.
    """

    usd: float
    per: str
    page: str


_PAGES = "https://aws.amazon.com/{}/pricing/"
_EMR, _MWAA = _PAGES.format("emr"), _PAGES.format("managed-workflows-for-apache-airflow")
_S3, _ATHENA, _MSK = _PAGES.format("s3"), _PAGES.format("athena"), _PAGES.format("msk")

EMR_VCPU = Price(0.052624, "vCPU-hour", _EMR)
EMR_GB = Price(0.0057785, "GB-hour", _EMR)
EMR_ARM_SHARE = 0.8  # what arm64 costs of the same on x86
MWAA_SMALL = Price(0.49, "hour of an environment mw1.small, with one worker", _MWAA)
MWAA_DATABASE = Price(0.10, "GB-month of its database", _MWAA)
S3_STORAGE = Price(0.023, "GB-month", _S3)
S3_WRITE = Price(0.005, "1,000 requests that write or list", _S3)
S3_READ = Price(0.0004, "1,000 requests that read", _S3)
ATHENA_SCAN = Price(5.0, "TB scanned", _ATHENA)
ATHENA_LEAST_MB = 10  # a query is billed for at least this
MSK_CLUSTER = Price(0.75, "hour of a serverless cluster", _MSK)
MSK_PARTITION = Price(0.0015, "hour of a topic partition", _MSK)
MSK_IN = Price(0.10, "GB written", _MSK)
MSK_OUT = Price(0.05, "GB read", _MSK)
MSK_STORAGE = Price(0.10, "GB-month", _MSK)
