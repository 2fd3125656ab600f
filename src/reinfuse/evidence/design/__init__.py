"""Designs of the next study: what is asked is refused with all that is wrong with it, or answered by `statistics`."""
