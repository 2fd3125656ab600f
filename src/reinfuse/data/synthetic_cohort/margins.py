"""What is set by hand of the synthetic cohort: the course of each patient, and the margins of what is drawn.

`COURSES` sets what the published margins of the reference study depend on (Gauthier et al., Blood 2021;137(3):323-335,
NCT01865617): diagnosis, regimens, doses, the course after the second infusion (CART2) and survival. Ages, sexes and
lines of therapy follow the margins of the trial's first 133 patients (Blood 2018;131(1):121, Table 1).

Days: day 0 is CART1. In `COURSES` days count from CART2.
"""

from __future__ import annotations

SEED = 20226065
"""Picked so that no drawn column (age, sex, interval, lines, grades) happens to go with a factor or response."""
# Columns: diagnosis; regimen and dose before CART1; the same before CART2; reason for CART2; bulky; prior lines at
# CART2 (* = drawn, ? = missing); MRD about day 28 (U undetectable, D detectable, - not tested); visits after CART2
# (.. = visits drawn in between); last day; cause of death (- = alive); other therapies (day therapy: kind).
# Regimens: F Cy-Flu, C Cy, E Cy + etoposide, B bendamustine, N none, ? missing.
# Reasons: R relapse, P progression, S persistent disease, N no response.
COURSES = """
ALL|F 2e5|F 2e6|R|no|*|U|28CR .. 150relapse|412|disease|163 inotuzumab ozogamicin: anticancer
ALL|F 2e6|F 2e7|R|no|*|U|29CR 92CR 160CR 260CR 520CR|1150|-|171 allogeneic transplant: allo-HCT
ALL|F 2e5|F 2e6|R|no|*|D|27PD|131|disease|
ALL|F 2e5|F 2e6|R|no|?|D|30SD 61PD|203|disease|75 inotuzumab ozogamicin: anticancer
ALL|F 2e6|F 2e7|N|no|*|D|28SD 95CR 210CR|1066|-|41 blinatumomab: anticancer
ALL|F 2e5|C 2e6|R|no|*|-|24PD|96|disease|
ALL|F 2e6|F 2e6|R|no|*|D|28PD|77|disease|
ALL|C 2e5|F 2e6|R|no|*|D|27CR .. 85relapse|268|disease|97 vincristine + dexamethasone: anticancer
ALL|C 2e5|F 2e6|R|no|*|D|26PD|58|disease|
ALL|C 2e5|F 2e7|R|yes|*|D|30SD 58PD|164|disease|
ALL|E 2e5|F 2e6|N|no|*|D|29SD 55PD|905|-|63 inotuzumab ozogamicin: anticancer; 128 allogeneic transplant: allo-HCT
ALL|C 2e6|C 2e7|R|no|*|-|21PD|49|disease|
ALL|E 2e5|F 2e6|S|no|*|-|28NE 43PD|118|disease|
ALL|C 2e6|F 1.1e6|R|no|*|D|28PD|92|disease|
CLL|F 2e6|F 2e7|P|no|6|U|29PR 92CR .. 1033PD|1702|-|1060 venetoclax + rituximab: anticancer
CLL|F 2e6|F 2e7|P|yes|5|U|28CR .. 1688CR|1816|-|210 intravenous immunoglobulin: supportive
CLL|F 2e5|B 2e6|S|no|7|U|30PR .. 338PD|905|other|352 ibrutinib: anticancer
CLL|F 2e6|F 2e7|N|yes|6|D|28SD 61PD|213|disease|-21 ibrutinib: anticancer
CLL|F 2e5|B 2e6|N|yes|8|D|27SD 92PD|402|disease|104 venetoclax + obinutuzumab: anticancer
CLL|F 2e6|F 2e6|P|yes|6|-|28SD|44|treatment|
CLL|F 2e7|F 2e6|P|yes|4|D|33PD|187|disease|48 venetoclax: anticancer
CLL|C 2e5|F 2e6|N|yes|7|D|29PD|98|disease|
CLL|B 2e6|F 2e7|P|no|5|-|27PD|141|disease|
NHL|F 2e6|F 2e7|R|no|*|-|28CR .. 1218CR|1302|-|
NHL|F 2e6|F 2e7|P|no|*|-|30PR 95CR .. 1560CR|1655|-|
NHL|F 2e6|F 2e7|R|yes|*|-|29CR .. 425PD|1244|-|440 lenalidomide + rituximab: anticancer
NHL|F 2e6|C 2e7|R|no|*|-|27PR .. 179PD|701|disease|190 polatuzumab vedotin + rituximab: anticancer
NHL|F 2e5|F 2e6|P|yes|*|-|31PR 76PD|168|disease|
NHL|F 2e6|F 2e7|S|?|*|-|28PR 123PR 214PD|790|-|123 radiotherapy: radiation
NHL|F 2e6|F 2e7|P|no|*|-|30PR .. 213PD|640|disease|228 lenalidomide: anticancer
NHL|F 2e6|F 2e7|R|no|*|-|29PR 183NE 294PD|1008|-|310 radiotherapy: radiation
NHL|F 2e6|F 2e7|P|yes|*|-|28SD 88PD|350|disease|-18 radiotherapy: radiation; 99 ibrutinib: anticancer
NHL|F 2e6|F 1.5e7|N|no|*|-|29PD|142|disease|
NHL|F 2e5|F 2e7|N|yes|*|-||19|disease|
NHL|F 2e6|B 2e7|P|no|*|-|27SD 60PD|850|-|72 tafasitamab + lenalidomide: anticancer
NHL|F 2e7|F 2e7|R|no|*|-|32CR 94PD|590|disease|110 pembrolizumab: anticancer
NHL|F 2e6|F 2e6|N|yes|*|-|28PD|121|disease|
NHL|C 2e7|F 2e6|P|no|*|-|30PD|88|disease|
NHL|E 2e6|N 2e6|P|yes|*|-|28SD 57PD|244|disease|70 gemcitabine + oxaliplatin: anticancer
NHL|C 2e6|F 2e7|R|no|*|-|28PR 117PD|480|disease|131 radiotherapy: radiation
NHL|E 2e6|F 2e7|S|no|*|-|31SD 90PD|199|disease|
NHL|C 2e5|F 2e6|P|yes|*|-|26PD|73|disease|
NHL|B 2e6|F 2e7|N|no|*|-|28SD 112PD|612|-|123 venetoclax: anticancer
NHL|? 2e6|F 2e7|R|no|*|-|30PR .. 148PD|815|unknown|160 lenalidomide + rituximab: anticancer
"""
REGIMENS = {"F": ("Cy/Flu", "Cy-Flu", "fludarabine + cyclophosphamide"), "C": ("Cy",), "E": ("Cy + etoposide",),
            "B": ("bendamustine",), "N": ("none",), "?": ("",)}  # fmt: skip
REASONS = {"R": "relapse", "P": "progression", "S": "persistent disease", "N": "no response"}
INTERVALS = {"R": (230.0, 90, 1200), "P": (170.0, 75, 1200), "S": (100.0, 50, 240), "N": (70.0, 35, 180)}
"""Median, least and greatest interval in days between the infusions, by the reason for the second."""
AGES = {"ALL": (20, 31, 73), "CLL": (40, 66, 73), "NHL": (28, 69, 70)}
"""Least, most frequent and greatest age in years."""
WOMEN = {"ALL": 6, "CLL": 3, "NHL": 4}
LINES = {"ALL": (1, 2, 2, 3, 3, 3, 4, 4, 5, 7), "NHL": (2, 3, 3, 4, 4, 4, 5, 5, 6, 8)}
HISTOLOGIES = {"ALL": ("B-ALL",), "CLL": ("CLL",), "NHL": ("DLBCL", "DLBCL", "DLBCL", "transformed FL", "FL", "MCL")}
VISITS = (91, 182, 273, 365, 547, 730, 912, 1095, 1460, 1825)
GRADES = {
    (1, "CRS"): (14, 14, 11, 4, 1), (1, "NT"): (29, 7, 4, 3, 1),
    (2, "CRS"): (18, 12, 10, 3, 1), (2, "NT"): (28, 7, 4, 4, 1),
}  # fmt: skip
"""Patients with grade 0, 1, 2, 3 and 4, by infusion and kind."""
ONSET = {"CRS": (1, 6), "NT": (3, 9)}
CRITERIA = {"ALL": "NCCN", "CLL": "iwCLL", "NHL": "Lugano"}
