"""reinfuse's estimates from its patients.csv, without report and figures. Run: python benchmarks/by_reinfuse.py PATIENTS."""

from __future__ import annotations

import sys

from reinfuse import Study, read_cohort

if __name__ == "__main__":
    Study(read_cohort(sys.argv[1])).run()
