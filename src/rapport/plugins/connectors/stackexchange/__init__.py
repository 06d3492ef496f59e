"""Stack Overflow and the other sites of Stack Exchange."""
