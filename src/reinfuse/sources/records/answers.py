"""What a person answers about records that may be infusions."""

INFUSION, NO_INFUSION = "infusion", "no infusion"
ANSWERS = "infusion_records"
"""Dictionary of a map: record in words -> `INFUSION` or `NO_INFUSION`."""
