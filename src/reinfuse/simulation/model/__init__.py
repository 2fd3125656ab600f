"""The model of one virtual patient: parameters, equations, how they are compiled, and its description."""
