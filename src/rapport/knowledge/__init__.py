"""What the firm knows that helps: problems with their solutions, dated facts, and notices of what is wrong now."""
