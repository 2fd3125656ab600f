"""FHIR Bulk Data (NDJSON), flattened by ViewDefinitions."""
