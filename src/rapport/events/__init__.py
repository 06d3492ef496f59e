"""The log: event plan, collector, spool, loader, subjects, lake, counters, subscriptions."""
