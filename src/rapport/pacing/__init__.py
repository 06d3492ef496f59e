"""When and whether a person may be reached, over everything: holdouts and the pause; caps and calendars come here."""
