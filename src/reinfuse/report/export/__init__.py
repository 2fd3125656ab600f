"""What is written: folders of results, single figures, what may leave the centre."""
