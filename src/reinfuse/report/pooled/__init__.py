"""The report of a study of several centres."""
