"""The report's figures. Each is drawn from records and curves, and says what it shows in its alternative text."""
