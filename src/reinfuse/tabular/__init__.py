"""Files as tables of texts: CSV, workbooks, Parquet and TOML, within declared limits. Knows no cohort."""
