"""CAR-T counts over time: profiles, non-compartmental analysis, persistence, population model, outcome."""
