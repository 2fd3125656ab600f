"""The search for protocols that cannot be told apart from the best."""
