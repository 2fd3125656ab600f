"""The mathematics: arrays in, results out. Knows no cohort."""
