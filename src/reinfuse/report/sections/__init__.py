"""What stands where in the report."""
