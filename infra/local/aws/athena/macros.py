"""Functions of Trino that DuckDB has not, or under their name means otherwise, where its own SQL can say them."""

from __future__ import annotations

import duckdb

_URL = r"^(?:([a-zA-Z][\w+.-]*):)?(?://([^/?#:]*)(?::\d+)?)?([^?#]*)(?:\?([^#]*))?"
_CALLS = {
    "arrays_overlap(a, b)": "list_has_any(a, b)",
    "codepoint(c)": "unicode(c)",
    "current_timezone()": "'UTC'",
    "e()": "exp(1)",
    "every(v)": "bool_and(v)",
    "hamming_distance(a, b)": "hamming(a, b)",
    "infinity()": "CAST('Infinity' AS DOUBLE)",
    "is_finite(v)": "isfinite(v)",
    "is_infinite(v)": "isinf(v)",
    "is_nan(v)": "isnan(v)",
    "json_array_get(j, i)": "json_extract(j, i)",
    "json_size(j, p)": """CASE json_type(j, p) WHEN 'ARRAY' THEN json_array_length(j, p)
        WHEN 'OBJECT' THEN len(json_keys(j, p)) ELSE CASE WHEN json_type(j, p) IS NOT NULL THEN 0 END END""",
    "millisecond(t)": "date_part('millisecond', t) % 1000",
    "multimap_agg(k, v)": """map_from_entries(list_transform(list_distinct(list(k)), lambda _one: {'k': _one,
        'v': list_transform(list_filter(list({'k': k, 'v': v}), lambda _p: _p['k'] = _one), lambda _p: _p['v'])}))""",
    "nan()": "CAST('NaN' AS DOUBLE)",
    "normalize(t)": "nfc_normalize(t)",
    "repeat(v, n)": "list_transform(range(n), lambda _i: v)",
    # A date alone has no time; a time with a zone is in UTC here.
    "to_iso8601(t)": """CASE typeof(t) WHEN 'DATE' THEN strftime(CAST(t AS TIMESTAMP), '%Y-%m-%d')
        WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(CAST(t AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ')
        ELSE strftime(CAST(t AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g') END""",
    "trim_array(a, n)": "list_slice(a, 1, len(a) - n)",
    "trino_distinct(a)": "list_filter(a, lambda _v, _i: list_position(a, _v) = _i)",
    # Of numbers that are counts.
    "trino_entropy(c)": "log2(sum(c)) - sum(CASE WHEN c > 0 THEN c * log2(c) ELSE 0 END) / sum(c)",
    # DuckDB's is corrected for a sample.
    "trino_skewness(v)": "skewness(v) * (count(v) - 2) / sqrt(count(v) * (count(v) - 1))",
    "trino_split(t, d, n)": """CASE WHEN len(string_split(t, d)) <= n THEN string_split(t, d) ELSE list_append(
        list_slice(string_split(t, d), 1, n - 1),
        array_to_string(list_slice(string_split(t, d), n, len(string_split(t, d))), d)) END""",
    "trino_split_to_map(t, e, k)": """map_from_entries(list_transform(string_split(t, e), lambda _p:
        {'k': string_split(_p, k)[1],
         'v': array_to_string(list_slice(string_split(_p, k), 2, len(string_split(_p, k))), k)}))""",
    "url_extract_host(u)": f"nullif(regexp_extract(u, '{_URL}', 2), '')",
    "url_extract_path(u)": f"regexp_extract(u, '{_URL}', 3)",
    "url_extract_protocol(u)": f"nullif(regexp_extract(u, '{_URL}', 1), '')",
    "url_extract_query(u)": f"nullif(regexp_extract(u, '{_URL}', 4), '')",
    # Below the least bucket is 0, above the greatest one n + 1.
    "width_bucket(v, low, high, n)": """CASE WHEN v < low THEN 0 WHEN v >= high THEN n + 1
        ELSE CAST(floor((v - low) * CAST(n AS DOUBLE) / (high - low)) AS BIGINT) + 1 END""",
}


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives a connection these functions."""
    for signature, body in _CALLS.items():
        connection.execute(f"CREATE MACRO {signature} AS {body}")
