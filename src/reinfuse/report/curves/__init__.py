"""The page on the patients behind published curves."""
