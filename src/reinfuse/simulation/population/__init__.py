"""From points of the parameter space to populations of virtual patients."""
