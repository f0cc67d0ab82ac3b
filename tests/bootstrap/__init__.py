"""The composition root: configuration, environment, templates."""
