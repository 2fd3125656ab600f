"""How large an input may be: every limit of reading, with its number, so that no file takes all memory or all day.

The numbers hold cohorts of 100,000 patients and sheets of 200 patients and 30,000 columns, and keep reading below 2 GB
of memory.
"""

from __future__ import annotations

MEGABYTE = 1_000_000
FILES = 10_000
"""In one folder."""
WORKBOOKS_IN_FOLDER = 100
"""In one folder: those beside its tables that are looked into."""
FILE_BYTES = 100 * MEGABYTE
"""Of one file on the disk."""
SETTINGS_BYTES = 200_000
"""Of a TOML file: a plan, `about.toml`."""
UNPACKED_BYTES = 400 * MEGABYTE
"""Of a workbook's parts, or of the columns of a Parquet file, once they are unpacked."""
MAP_BYTES = 5 * MEGABYTE
"""Of a map: a line for each column of a wide source."""
FOOTER_BYTES = 10 * MEGABYTE
"""Of a Parquet file: the end, which describes each column."""
PLAIN_BYTES = 100 * MEGABYTE
"""Of a workbook's sheet: what is read at once, and not in pieces by an XML parser."""
PARTS = 10_000
"""Of a workbook: files within the archive."""
ELEMENTS = 3_000_000
"""Of a workbook: XML elements in all its parts (a cell with a text has about four); of all those beside the tables of a
folder."""
DEPTH = 100
"""Of a workbook: XML elements within each other."""
FORMATS = 300_000
"""Of a workbook: XML elements in each part that describes sheets and holds no cells (a spreadsheet program keeps up to
65,490 cell formats, with up to three elements each)."""
TAG_BYTES = MEGABYTE
"""Of a workbook: from one XML tag to the end of the next, texts between them included."""
CELLS = 8_000_000
"""Of one table, or of all sheets of a workbook: rows times columns."""
TEXT_CHARACTERS = 200_000_000
"""Of one table: all its texts together."""
CELL_CHARACTERS = 32_767
"""Of one cell: what a spreadsheet program holds in one."""
WIDEST = 40_000
"""Columns of one table in a text or Parquet file."""
ROWS, COLUMNS = 1_048_576, 16_384
"""Of a sheet of a workbook, as spreadsheet programs have them; no table of another kind has more rows."""


PATIENTS = 250_000
"""Of a cohort."""
KINDS = 200
"""Of toxicity: each becomes columns, estimates and lines of a table."""
LISTED = 1000
"""Problems of one kind in one column that are told row by row."""


TOO_MANY_PATIENTS = (f"holds more than {PATIENTS:,} patients, the most that are analysed", "draw a sample of them")
TOO_MANY_KINDS = (f"has more than {KINDS} kinds of toxicity, the most that are analysed", "give rare kinds one name")


def megabytes(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size // MEGABYTE:,} MB"
