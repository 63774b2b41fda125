"""ECB's download of reference rates on a laptop: real history, conditional requests, and failures on request.

After the end of the real history, its last rates go on, day by day, until now.

`python -m infra.local.sources.ecb` serves, as www.ecb.europa.eu does,

    GET, HEAD /stats/eurofxref/eurofxref-hist.zip, eurofxref-hist.csv     (ETag, Last-Modified, 304)

and for people and tests

    GET, PATCH, DELETE /_control/overrides    what differs from the real history, see `Overrides`
    POST, DELETE       /_control/fail         {"kind": "unavailable", "calls": 1, "after": 0}: answer 503

Overrides are kept in `<home>/ecb/overrides.json` and survive a restart. Planned failures do not.
"""
