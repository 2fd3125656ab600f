"""One document, three writers: HTML, Word, PDF."""
