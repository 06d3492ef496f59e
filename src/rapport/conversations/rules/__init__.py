"""What holds by definition: views, clocks, weights, joining, recoveries, reception. Pure."""
