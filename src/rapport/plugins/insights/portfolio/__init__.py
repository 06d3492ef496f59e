"""Value against cost to serve and potential, and what a minute of answering is expected to save."""
