"""Reviews in Apple's App Store, of the firm's own apps."""
