"""How findings are shown: numbers, tables, figures, html. Computes no statistic."""
