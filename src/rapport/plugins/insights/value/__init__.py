"""What each person is likely to buy from now on, and what that is worth."""
