"""The model of virtual patients, described; needs no extra."""

from __future__ import annotations

from reinfuse.simulation.model.model_description import as_dict, markdown

__all__ = ["as_dict", "markdown"]
