"""OMOP Common Data Model, read in the database where it stands."""
