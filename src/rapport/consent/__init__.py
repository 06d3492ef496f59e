"""What data of a person may be used for: purposes, consent and its evidence, suppression, requests, recipients."""
