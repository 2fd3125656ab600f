"""`python -m reinfuse.cli`."""

from reinfuse.cli.main import main

main()
