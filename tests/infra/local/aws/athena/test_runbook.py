"""The runbook's queries, word for word, on the small lake."""

from __future__ import annotations

import pytest

from tests.infra.local.aws.athena.lake import Lake

COUNTS = """
-- Count records in each table
SELECT 'fx_rates' as table_name, COUNT(*) as record_count FROM silver.fx_rates
UNION ALL
SELECT 'orders' as table_name, COUNT(*) as record_count FROM silver.orders
UNION ALL
SELECT 'salesforce_accounts' as table_name, COUNT(*) as record_count FROM silver.salesforce_accounts;
"""
FRESHNESS = """
-- Check data freshness
SELECT
    'fx_rates' as table_name,
    MAX(as_of_date) as latest_date
FROM silver.fx_rates
UNION ALL
SELECT
    'orders' as table_name,
    MAX(order_date) as latest_date
FROM silver.orders;
"""
BY_STATUS = """
-- Orders by Status
SELECT
    status,
    COUNT(*) as order_count,
    ROUND(COUNT(*) * 100.0 / SUM(COUNT(*)) OVER(), 2) as percentage
FROM silver.orders
GROUP BY status
ORDER BY order_count DESC;
"""
REVENUE = """
-- Revenue Analysis with USD Normalization
SELECT
    f.order_id,
    c.name AS customer_name,
    f.order_date,
    f.currency,
    f.amount_native,
    ROUND(f.amount_usd, 2) AS amount_usd,
    f.status
FROM gold.fact_orders f
JOIN gold.dim_customers c ON f.customer_id = c.id
ORDER BY f.order_date DESC
LIMIT 50;
"""
TOP_CUSTOMERS = """
-- Top 10 Customers by Revenue
SELECT
    c.name AS customer_name,
    c.type AS customer_type,
    ROUND(SUM(f.amount_usd), 2) as total_revenue_usd,
    COUNT(f.order_id) as total_orders
FROM gold.fact_orders f
JOIN gold.dim_customers c ON f.customer_id = c.id
WHERE f.amount_usd IS NOT NULL
GROUP BY c.name, c.type
ORDER BY total_revenue_usd DESC
LIMIT 10;
"""
NULLS = """
-- Check for NULL values in critical fields
SELECT
    'fx_rates' as table_name,
    'ccy' as column_name,
    COUNT(*) as total_records,
    COUNT(ccy) as non_null_records,
    COUNT(*) - COUNT(ccy) as null_records
FROM silver.fx_rates
UNION ALL
SELECT
    'orders' as table_name,
    'order_id' as column_name,
    COUNT(*) as total_records,
    COUNT(order_id) as non_null_records,
    COUNT(*) - COUNT(order_id) as null_records
FROM silver.orders;
"""
DUPLICATES = """
-- Check for duplicate order IDs
SELECT
    order_id,
    COUNT(*) as duplicate_count
FROM silver.orders
GROUP BY order_id
HAVING COUNT(*) > 1
ORDER BY duplicate_count DESC;
"""

Rows = list[list[str | None]]


@pytest.mark.parametrize(
    ("sql", "columns", "rows"),
    [
        pytest.param(
            COUNTS,
            ["table_name", "record_count"],
            [["fx_rates", "2"], ["orders", "3"], ["salesforce_accounts", "1"]],
            id="counts",
        ),
        pytest.param(
            FRESHNESS,
            ["table_name", "latest_date"],
            [["fx_rates", "2026-01-03"], ["orders", "2026-01-03"]],
            id="freshness",
        ),
        pytest.param(
            BY_STATUS,
            ["status", "order_count", "percentage"],
            [["PAID", "2", "66.7"], ["PLACED", "1", "33.3"]],
            id="orders by status",
        ),
        pytest.param(
            REVENUE,
            ["order_id", "customer_name", "order_date", "currency", "amount_native", "amount_usd", "status"],
            [
                ["o3", "Bo", "2026-01-03", "GBP", None, None, "PLACED"],
                ["o2", "Ada", "2026-01-02", "USD", "2.25", "2.250000", "PAID"],
                ["o1", "Ada", "2026-01-01", "EUR", "10.50", "11.560000", "PAID"],
            ],
            id="revenue",
        ),
        pytest.param(
            TOP_CUSTOMERS,
            ["customer_name", "customer_type", "total_revenue_usd", "total_orders"],
            [["Ada", "Customer", "13.810000", "2"]],
            id="top customers",
        ),
        pytest.param(
            NULLS,
            ["table_name", "column_name", "total_records", "non_null_records", "null_records"],
            [["fx_rates", "ccy", "2", "2", "0"], ["orders", "order_id", "3", "3", "0"]],
            id="nulls",
        ),
        pytest.param(DUPLICATES, ["order_id", "duplicate_count"], [], id="duplicates"),
    ],
)
def test_runbook_query_gives_the_lake_s_figures(lake: Lake, sql: str, columns: list[str], rows: Rows) -> None:
    described, result = lake.result(sql)
    assert [name for name, _ in described] == columns
    assert sorted(result[1:], key=str) == sorted(rows, key=str)
    if "ORDER BY" in sql:
        assert result[1:] == rows
