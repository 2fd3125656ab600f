"""What is asked of a cohort: one file an analysis, from the analysis set to estimates."""
