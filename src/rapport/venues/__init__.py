"""Places where people talk, and the manners of each: rule cards that a machine can check a draft against."""
