"""Virtual twins of a centre's own patients."""
