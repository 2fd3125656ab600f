"""The ensemble of populations given published results, and how well it meets them."""
