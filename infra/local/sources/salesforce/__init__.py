"""Salesforce on a laptop: an org with the object Account, behind the endpoints that simple-salesforce calls.

`python -m infra.local.sources.salesforce` serves, for any API version N,

    POST /services/Soap/u/N                     log-in by username and password + security token
    POST /services/oauth2/token                 the same with OAuth's password grant, for any connected app
    GET  /services/data/vN/query, queryAll      SOQL (see `soql`), pages, nextRecordsUrl
    GET  /services/data/vN/sobjects, sobjects/Account/describe, limits
    …    /services/data/vN/jobs/query           Bulk 2.0 query jobs, results as CSV with locators

and for people and tests `/_control/` (see `control`). simple-salesforce always calls https, so clients need an adapter
that sends requests for https://*.salesforce.com here.

Records, fields and notes are kept in `<home>/salesforce/org.sqlite`. Sessions, query cursors, bulk jobs, planned
failures and settings are kept in memory, and a restart forgets them. Nothing here uses a clock.

Differences from the service: there is one object and a part of SOQL, every caller sees everything, and the pages of
`nextRecordsUrl` show the records as they were at the first page.
"""
