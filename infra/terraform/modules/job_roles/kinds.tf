# What each kind of job does, read from the code. Prefixes are keys of the lake; a test holds them to those in jobs/.
locals {
  state = {
    # Who writes tables takes leases, and writes the ledger and the figures of the quality page.
    read  = ["ops/", "_locks/", "gold/quality/"]
    write = ["ops/run_ledger/", "ops/recorded/", "ops/quality/", "_locks/"]
  }

  kinds = {
    # bronze.<table>: reads sources.
    sources = {
      read    = concat(local.state.read, ["bronze/", "_staging/", "_checkpoints/"])
      write   = concat(local.state.write, ["bronze/", "_staging/", "_checkpoints/"])
      secrets = ["salesforce", "snowflake"]
      catalog = false
      figures = false
      alerts  = false
      runs    = true
    }
    # silver.<table>
    silver = {
      read    = concat(local.state.read, ["bronze/", "silver/", "quarantine/"])
      write   = concat(local.state.write, ["silver/", "quarantine/"])
      secrets = []
      catalog = false
      figures = true
      alerts  = false
      runs    = true
    }
    # gate: judges, and writes no table.
    gate = {
      read    = concat(local.state.read, ["bronze/", "silver/", "gold/", "quarantine/", "_checkpoints/"])
      write   = ["gold/quality/", "ops/gate/", "ops/quality/", "ops/recorded/", "ops/run_ledger/"]
      secrets = []
      catalog = false
      figures = true
      alerts  = false
      runs    = false
    }
    # gold.<table>
    gold = {
      read    = concat(local.state.read, ["silver/", "gold/"])
      write   = concat(local.state.write, ["gold/"])
      secrets = []
      catalog = false
      figures = false
      alerts  = false
      runs    = true
    }
    # register: it also moves records that an earlier release wrote.
    register = {
      read    = ["bronze/", "silver/", "gold/", "quarantine/", "ops/"]
      write   = ["ops/run_ledger/", "gold/quality/"]
      secrets = []
      catalog = true
      figures = false
      alerts  = false
      runs    = false
    }
    # bronze.<continuous table>
    stream = {
      read    = concat(local.state.read, ["bronze/", "_checkpoints/", "_control/"])
      write   = concat(local.state.write, ["bronze/", "_checkpoints/", "_control/", "ops/streams/"])
      secrets = ["kafka"]
      catalog = true
      figures = true
      alerts  = false
      runs    = true
    }
    # maintenance.*: every table, and folded records.
    housekeeping = {
      read    = concat(local.state.read, ["bronze/", "silver/", "gold/", "quarantine/", "_checkpoints/"])
      write   = concat(local.state.write, ["bronze/", "silver/", "gold/", "quarantine/", "ops/"])
      secrets = []
      catalog = true
      figures = false
      alerts  = false
      runs    = true
    }
    # report.daily
    report = {
      read    = ["bronze/", "silver/", "gold/", "quarantine/", "ops/", "reports/", "gold/quality/"]
      write   = ["reports/"]
      secrets = []
      catalog = false
      figures = false
      alerts  = true
      runs    = true
    }
    # restore, replays and all that a person starts by hand.
    operations = {
      read    = concat(local.state.read, ["bronze/", "silver/", "gold/", "quarantine/", "_checkpoints/", "_control/"])
      write   = concat(local.state.write, ["bronze/", "silver/", "gold/", "quarantine/", "_checkpoints/", "_control/", "ops/streams/"])
      secrets = ["kafka"]
      catalog = false
      figures = false
      alerts  = false
      runs    = true
    }
  }
}
