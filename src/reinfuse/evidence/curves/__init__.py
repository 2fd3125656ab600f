"""Published Kaplan-Meier curves read off a figure or a table of points, and made into risk tables of patients."""
