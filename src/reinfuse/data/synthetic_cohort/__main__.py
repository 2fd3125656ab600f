"""Write the tables of the synthetic cohort into the folder that is named on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

from reinfuse.data.synthetic_cohort.tables import write_cohort

write_cohort(Path(sys.argv[1]))
