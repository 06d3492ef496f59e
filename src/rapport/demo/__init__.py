"""The synthetic market: an invented shop whose truth is known, to try Rapport and to judge it."""
