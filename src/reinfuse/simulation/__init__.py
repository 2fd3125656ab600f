"""Virtual patients: a mechanistic model of repeat infusions, calibrated to groups, not validated for one patient."""
