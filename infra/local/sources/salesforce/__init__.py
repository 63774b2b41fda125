"""Salesforce on a laptop: the endpoints that simple-salesforce calls, over an org with the object Account.

`python -m infra.local.sources.salesforce` serves, for any API version N,

    POST /services/Soap/u/N                     log-in by username and password + security token
    POST /services/oauth2/token                 the same by OAuth's password grant, for any connected app
    GET  /services/data/vN/query, queryAll      SOQL (see `soql`), pages, nextRecordsUrl
    GET  /services/data/vN/sobjects, sobjects/Account/describe, limits
    …    /services/data/vN/jobs/query           Bulk 2.0 query jobs, results as CSV with locators

and for people and tests `/_control/` (see `control`). Clients must send https://*.salesforce.com requests
here by an adapter, as simple-salesforce hard-codes https.

Kept in `<home>/salesforce/org.sqlite`: records, fields, notes. Kept in memory, so gone after a restart as if
expired: sessions, query cursors, bulk jobs, planned failures, settings. No clock is used anywhere.

Differences from the service: one object, a part of SOQL, every caller sees everything, and a page of
`nextRecordsUrl` shows records as they were at the first page.
"""
