"""Foreign formats -> the tables of a cohort: a map is proposed, a person confirms it, and then it is followed."""
