"""How the report shows each analysis: one module an analysis, of the same name as in `reinfuse.analyses`."""
