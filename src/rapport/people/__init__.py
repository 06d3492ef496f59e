"""People: identifiers, the identity graph, traits, scores and the timeline of one human being."""
