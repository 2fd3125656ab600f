"""Who the patients are and what happened to them: tables, reading, checking, endpoints, factors."""
