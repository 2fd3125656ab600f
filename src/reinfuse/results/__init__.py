"""What came out: estimates, curves and findings. Knows no report."""
