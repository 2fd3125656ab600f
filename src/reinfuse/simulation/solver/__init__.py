"""The differential equations' solver: steps, dense output, events, read-outs."""
