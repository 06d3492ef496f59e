"""Questions put to people, their answers, and what the answers say."""
