"""The patients' brief: what a study found, in plain words."""
