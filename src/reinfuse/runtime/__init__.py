"""How the program runs: failures that cost themselves alone, signals, processes and threads, extras."""
