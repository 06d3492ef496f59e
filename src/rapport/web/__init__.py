"""The screens: they ask selectors, call services and render; they decide nothing."""
