"""Published repeat infusions: what is known, how old it is, and what it is worth beside one's own cohort.

`studies` and `figures` are what the register holds; `register` selects of it, `reading` and `rules` read a folder of
that form and refuse what is wrong in it; `published/` is the register that comes with reinfuse. `notices` are
retractions and corrections; `citations` and `update` compare an export of a literature search with the register,
`search_strategy` is the search. `design/` plans the next study, `curves/` makes patients of published curves.
"""

from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.notices import Notice
from reinfuse.evidence.reading import read_register
from reinfuse.evidence.register import Register
from reinfuse.evidence.studies import RegisteredStudy

__all__ = ["Notice", "PublishedFigure", "Register", "RegisteredStudy", "read_register"]
