"""What rows that sum up others are called, in the languages of centres: patterns for a whole text, without case."""

from __future__ import annotations

SUMMARY = (
    r"(?:grand[ -]?|sub[ -]?)?totals?|totale|totalt|totaal|celkem|razem|sums?|means?|averages?|avg|medians?|summe|"
    r"gesamt(?:zahl|summe)?|insgesamt|mittelwert|durchschnitt|somme|moyenne|media|m[ée]diane|promedio|mediana|suma|tot\.|ogó[łl]em|合计|总计|合計|総計|總計|小計|计|計|共计|共計|总数|總數|n\s*=\s*\d+"
)
"""Names of a row that can be no patient's."""
COUNTED = r"counts?|anzahl|percent|%"
"""Names of numbers over rows, which a column of identifiers holds nowhere else."""
BESIDE = (
    r"all|overall|alle|min(?:imum)?|max(?:imum)?|range|iqr|sd|st\.?\s?dev\.?|std(?:\.?\s?dev\.?)?|standard deviation|"
    r"n|nombre|cohort|total n|q1|q3|patients"
)
"""Names that a pseudonym may have too, and that mean a summary where another one stands beside them."""
