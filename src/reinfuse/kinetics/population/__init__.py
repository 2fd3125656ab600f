"""Population model of expansion, contraction and persistence (needs the extra `kinetics`)."""
