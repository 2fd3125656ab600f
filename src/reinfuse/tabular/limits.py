"""How large an input may be: every limit of reading, with its number, so that no file takes all memory or all day.

The numbers hold cohorts of 100,000 patients and sheets of 200 patients and 30,000 columns, and keep reading below 2 GB
of memory.
"""

from __future__ import annotations

MEGABYTE = 1_000_000
FILES = 10_000
"""In one folder."""
FILE_BYTES = 100 * MEGABYTE
"""Of one file on the disk."""
SETTINGS_BYTES = 200_000
"""Of a TOML file: a plan, `about.toml`."""
UNPACKED_BYTES = 400 * MEGABYTE
"""Of a workbook's parts, or of the columns of a Parquet file, once they are unpacked."""
PARTS = 10_000
"""Of a workbook: files within the archive."""
ELEMENTS = 4_000_000
"""Of a workbook: XML elements in all its parts (a cell with a text has about four)."""
DEPTH = 100
"""Of a workbook: XML elements within each other."""
TAG_BYTES = MEGABYTE
"""Of a workbook: one XML tag."""
CELLS = 8_000_000
"""Of one table: rows times columns."""
TEXT_CHARACTERS = 200_000_000
"""Of one table: all its texts together."""
CELL_CHARACTERS = 32_767
"""Of one cell: what a spreadsheet program holds in one."""
ROWS, COLUMNS = 1_048_576, 16_384
"""Of a sheet of a workbook, as spreadsheet programs have them; no table of another kind has more rows."""


def megabytes(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size // MEGABYTE:,} MB"
