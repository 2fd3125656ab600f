"""The protocol page of each design of a study: `page` is its form, the other files fill it, one a design."""
