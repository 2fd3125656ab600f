"""What the data say: small modules, one method each, all returning the one `Estimate` record."""
