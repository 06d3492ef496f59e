"""A mailbox: what people write to the firm, and its answers."""
