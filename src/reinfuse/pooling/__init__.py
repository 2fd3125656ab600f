"""One analysis of several centres, from sums that each works out for itself: no patient's row leaves a centre."""
