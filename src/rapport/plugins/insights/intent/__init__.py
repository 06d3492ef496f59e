"""What somebody wants who wrote a text: an answer, help, to complain, to praise, to buy, to leave."""
