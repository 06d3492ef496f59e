"""Pure: what may be asked, how a question is written, and the SQL that answers it."""
