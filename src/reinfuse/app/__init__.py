"""The app: a page on this machine in which a spreadsheet becomes a report.

It computes nothing of its own: screens call the service layer (`reinfuse.study`), and the folder of a project holds
all that was decided, in the files that the command line reads.
"""
