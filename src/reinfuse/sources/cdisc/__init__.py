"""CDISC's data sets: ADaM and SDTM, from SAS files, Dataset-JSON, CSV and Parquet."""
