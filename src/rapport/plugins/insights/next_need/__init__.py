"""What each person will need next, and when."""
