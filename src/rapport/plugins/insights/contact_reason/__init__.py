"""Contact reason: why somebody writes, in the firm's own words, learnt from texts that the firm has labelled."""
