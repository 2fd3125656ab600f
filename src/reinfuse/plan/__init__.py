"""What was asked: the analysis plan and its options."""
