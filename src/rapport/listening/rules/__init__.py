"""What importers know without a store: fields and their names, how text is read, what a log line says."""
