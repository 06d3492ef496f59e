"""What every layer stands on: clock, ids, money, errors, registry, named queries, secrets. No domain word."""
