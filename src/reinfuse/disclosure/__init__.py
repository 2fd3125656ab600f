"""Disclosure control: findings in which no small number of patients can be read or worked out.

A number of patients from 1 to k - 1 is small (0 may be shown, but not as the outcome of a group). The rules,
for a smallest number k >= 3:

1. Numbers of patients, with their shares and intervals: `cells` decides which are hidden. An exact interval gives its
   number away, so it goes with it. Of a group that is hidden nothing is kept.
2. Parts. What an endpoint is made of (`cohort.endpoint_catalog`) lets anybody subtract: response less complete
   response, new therapies or deaths less deaths, events of PFS less those of responders (DOR) and less PD as best
   response; also any grade less grade 3. Where the difference is small, the inner number goes. A plan's own endpoint
   may be a part of any other, or any other of it.
3. Effects. An odds or hazard ratio, or a test, is kept only where no number of any level of the factors of its model
   is hidden: with known margins it tells them.
4. Curves are kept at whole months between which, in every group compared, at least k events happened or none, with at
   least k patients left, or none, and at least k events still to come, or none. A rate at a set time is kept
   as its curve is; numbers at risk the same, if also the numbers censored are not small. Limits, rates and ratios are
   rounded, as a product of fractions tells its denominators. Of curves of which one is a part of the other, only months
   at which they do not differ by few.
5. Medians of times, their limits and quartiles are told no finer than an interval that holds the values of at least k
   patients of the group (`rounding`), limits rounded outwards; else not. How long the last was followed is not told.
6. Analyses that leave out, pair or single out patients, and events that compete (one is the rest of the other), are
   not kept; see `KEPT`. Least and greatest values are those of one patient, and go.
"""

from reinfuse.disclosure.suppression import FEWEST, SHOWN_FROM, Removed, suppressed

__all__ = ["FEWEST", "SHOWN_FROM", "Removed", "suppressed"]
