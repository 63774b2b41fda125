# What each kind of job does, as recorded from whole runs (infra/policies/recorded.yaml). A test holds both together.
# Prefixes are keys of the lake. Deletions are named one by one: most of what is written is never deleted.
locals {
  # Who writes tables takes leases, and keeps the ledger and the mark up to which it is whole. Who waited for a lease
  # takes its wish back.
  writer = {
    read   = ["_locks/", "ops/recorded/", "ops/run_ledger/"]
    write  = ["_locks/", "ops/recorded/", "ops/run_ledger/"]
    delete = ["_locks/"]
  }
  quality = ["ops/quality/"] # figures of the quality page

  kinds = {
    # bronze.<table>: reads sources.
    sources = {
      read    = concat(local.writer.read, local.quality, ["bronze/", "_staging/", "_checkpoints/", "gold/quality/"])
      write   = concat(local.writer.write, local.quality, ["bronze/", "_staging/", "_checkpoints/"])
      delete  = concat(local.writer.delete, ["bronze/", "_staging/"])
      makes   = ["bronze"]
      secrets = ["salesforce", "snowflake"]
      catalog = []
      lists   = false
      figures = false
      alerts  = false
      runs    = true
    }
    # silver.<table>
    silver = {
      read    = concat(local.writer.read, local.quality, ["bronze/", "silver/", "quarantine/", "gold/quality/"])
      write   = concat(local.writer.write, local.quality, ["silver/", "quarantine/"])
      delete  = concat(local.writer.delete, ["silver/", "quarantine/"])
      makes   = ["silver", "quarantine"]
      secrets = []
      catalog = []
      lists   = false
      figures = true
      alerts  = false
      runs    = true
    }
    # gate: judges, and writes no table.
    gate = {
      read    = concat(local.quality, ["bronze/", "silver/", "quarantine/", "gold/quality/", "ops/gate/", "ops/run_ledger/"])
      write   = concat(local.quality, ["gold/quality/", "ops/gate/"])
      delete  = ["ops/gate/"]
      makes   = []
      secrets = []
      catalog = []
      lists   = false
      figures = true
      alerts  = false
      runs    = false
    }
    # gold.<table>
    gold = {
      read    = concat(local.writer.read, local.quality, ["silver/", "gold/", "ops/gate/"])
      write   = concat(local.writer.write, local.quality, ["gold/"])
      delete  = concat(local.writer.delete, ["gold/"])
      makes   = ["gold"]
      secrets = []
      catalog = []
      lists   = false
      figures = false
      alerts  = false
      runs    = true
    }
    # register: it also makes the tables of old records, and moves records that release 0.1.0 wrote.
    register = {
      read    = ["bronze/", "silver/", "gold/", "quarantine/", "ops/run_ledger/", "ops/run_ledger_history/", "ops/dq_results_history/"]
      write   = ["ops/run_ledger/", "gold/quality/", "ops/run_ledger_history/", "ops/dq_results_history/"]
      delete  = ["ops/run_ledger/", "gold/quality/"]
      makes   = []
      secrets = []
      catalog = ["bronze", "silver", "gold", "quarantine", "ops"]
      lists   = true
      figures = false
      alerts  = false
      runs    = false
    }
    # bronze.<continuous table>
    stream = {
      read    = concat(local.writer.read, ["bronze/", "_checkpoints/", "_control/"])
      write   = concat(local.writer.write, ["bronze/", "_checkpoints/", "ops/streams/"])
      delete  = concat(local.writer.delete, ["bronze/"])
      makes   = ["bronze"]
      secrets = ["kafka"]
      catalog = ["bronze"]
      lists   = false
      figures = true
      alerts  = false
      runs    = true
    }
    # maintenance.*: every table, and folded records.
    housekeeping = {
      read    = concat(local.writer.read, ["bronze/", "silver/", "gold/", "quarantine/", "ops/gate/", "ops/run_ledger_history/", "ops/dq_results_history/"])
      write   = concat(local.writer.write, ["bronze/", "silver/", "gold/", "quarantine/", "ops/run_ledger_history/", "ops/dq_results_history/"])
      delete  = concat(local.writer.delete, ["bronze/", "silver/", "gold/", "quarantine/", "ops/run_ledger/", "ops/run_ledger_history/", "ops/dq_results_history/"])
      makes   = []
      secrets = []
      catalog = ["ops"]
      lists   = false
      figures = false
      alerts  = false
      runs    = true
    }
    # report.daily; on Mondays it tells the week's trend from the figures of the quality page
    report = {
      read    = concat(local.quality, ["bronze/", "silver/", "gold/", "quarantine/", "ops/run_ledger/", "reports/"])
      write   = ["reports/"]
      delete  = []
      makes   = []
      secrets = []
      catalog = []
      lists   = false
      figures = false
      alerts  = true
      runs    = true
    }
    # canary: what a deployment tries. It has no business in tables of pipelines.
    canary = {
      read    = ["ops/canary/"]
      write   = ["ops/canary/"]
      delete  = ["ops/canary/"]
      makes   = ["ops/canary"]
      secrets = []
      catalog = ["ops"]
      lists   = false
      figures = false
      alerts  = false
      runs    = false
    }
    # restore, replays and all that a person starts by hand. A restored table goes back in the catalog too.
    operations = {
      read    = concat(local.writer.read, local.quality, ["bronze/", "silver/", "gold/", "quarantine/", "_control/"])
      write   = concat(local.writer.write, local.quality, ["bronze/", "silver/", "gold/", "quarantine/", "_checkpoints/", "_control/"])
      delete  = concat(local.writer.delete, ["bronze/", "silver/", "quarantine/", "_control/"])
      makes   = []
      secrets = ["kafka"]
      catalog = ["bronze", "silver", "gold"]
      lists   = false
      figures = true
      alerts  = false
      runs    = true
    }
  }
}
