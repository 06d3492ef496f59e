"""Three products that suit a person next, each with its reason."""
