"""Exports of REDCap with their data dictionary: one table a form, codes by their labels, check boxes joined."""
