"""The version of this program: its one source."""

__version__ = "0.1.0"
