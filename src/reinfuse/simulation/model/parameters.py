"""The mechanistic model, declared once: states, equations, parameters with their priors and sources.

Code, `docs/virtual.md` and `reinfuse virtual parameters` take everything from here. CAR-T cells are counted in cells/uL
of blood (x 5e8 = cells in a body of 75 kg, Kimmel 2021), tumour in 1e9 cells, time in days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CELLS_A_COUNT = 5e8
"""Cells in the body behind 1 cell/uL (Kimmel 2021: 1.8e8 cells are 0.36 cells/uL)."""
WEIGHT = 75.0
"""Body weight, kg (assumed)."""
LEAD = 3.0
"""Days from lymphodepletion to infusion (assumed)."""
LOD = 0.01
"""Limit of detection of CAR-T cells, cells/uL (lower quartile on day 90, Kimmel 2021)."""

KIMMEL = "Kimmel 2021, Proc R Soc B 288:20210229"
STEIN = "Stein 2019, CPT PSP 8:285"
ASSUMED = "assumed"
LOSS = "both alleles must be lost (Orlando 2018, Nat Med 24:1504)"
RESISTANCE = "Lemoine 2021, J Hematol Oncol 14:199: tumour cells that CAR-T cells do not kill"


@dataclass(frozen=True)
class ModelState:
    """One state: its symbol, meaning, unit, and the equation of its change in time."""

    name: str
    label: str
    unit: str
    equation: str


STATES = (
    ModelState("E", "Effector CAR-T cells", "cells/uL",
               "dE/dt = [w rho s I/(I+KI) max(0, 1-C/KC) - dE - x s - m - rej] E + aM s M"),
    ModelState("M", "Memory CAR-T cells", "cells/uL", "dM/dt = m E - (dM + aM s + rej) M"),
    ModelState("X", "Exhausted CAR-T cells", "cells/uL", "dX/dt = x s E - (dX + rej) X"),
    ModelState("P", "Antigen-positive tumour", "1e9 cells", "dP/dt = [g (1-(P+N)/Tmax) - mu - kk E/(E+kB)] P"),
    ModelState("N", "Antigen-negative tumour", "1e9 cells", "dN/dt = g (1-(P+N)/Tmax) N + mu P"),
    ModelState("A", "Anti-CAR immunity", "fraction of its maximum",
               "dA/dt = rA (1 - Phi aH/(aH+A)) min(L,1) A (1-A) C/(C+KA) - dA A"),
    ModelState("u", "Logarithm of endogenous lymphocytes, L = exp(u), fraction of baseline", "log fraction",
               "du/dt = -rL u"),
    ModelState("Phi", "Residual effect of fludarabine", "fraction", "dPhi/dt = -kphi Phi"),
)  # fmt: skip

BETWEEN = (
    "C = E + M + X; antigen drive s = (P+b0)/(P+b0+Ks); cytokine niche I = 1 + kap (1 - min(L,1)); "
    "rejection rej = rmax A/(1+C/KR)",
    "lymphodepletion (doses DCy, DFlu in reference courses): lk = cCy DCy + cFlu DFlu; u falls by lk; E, M, X are "
    "multiplied by exp(-lk), A by exp(-sA lk), P and N by exp(-sT lk); Phi becomes 1 - (1-Phi) (1-phi0)^DFlu",
    "infusion: E rises by dose x 75 kg / 5e8; w is the fitness of the latest product, from its lymphodepletion on and "
    "for all CAR-T cells: the model does not distinguish residual cells of an earlier product (on the day of CART2 "
    "they are less than 2 % of the cells in nine of ten patients)",
    "kinds of patients: a patient has a disease, with its own ratios to g, T0, kk, fN and A0 of NHL; a share of "
    "each disease resists killing: kk is multiplied by one factor, at every infusion; a share of products fails: w is "
    "multiplied by 0.3; where less than about one antigen-negative cell is expected there is none (fN), and none "
    "arises within two weeks (mu)",
    "response: measured on day 28, tumour at most pr of that before lymphodepletion, or complete",
    "extinction: a population of cells that falls below an exponentially distributed number of cells (mean 1, drawn "
    "for each patient and population) becomes extinct: the time at which the last of many cells dies",
)  # fmt: skip


@dataclass(frozen=True)
class ModelParameter:
    """One parameter of the model.

    Attributes
    ----------
    name, label, unit
        As in the equations.
    median, cv
        Of patients: log-normal, with this prior median and coefficient of variation.
    spread
        Uncertainty of the median: standard deviation of its logarithm; 0: taken as certain.
    source
        Source of the median; "assumed" where there is none.
    spread_of_cv
        Uncertainty of the variation between patients: standard deviation of its logarithm.
    """

    name: str
    label: str
    unit: str
    median: float
    cv: float
    spread: float
    source: str
    spread_of_cv: float = 0.0


PARAMETERS = (
    ModelParameter("rho", "Maximal proliferation rate of effector cells", "1/day", 2.25, 0.25, 0.2,
                   f"net growth 0.89/day of {STEIN}"),
    ModelParameter("KI", "Cytokine at half-maximal proliferation", "baselines", 4, 0.3, 0.4, ASSUMED),
    ModelParameter("kap", "Cytokine increase without endogenous lymphocytes", "baselines", 5, 0.4, 0.4, ASSUMED),
    ModelParameter("dE", "Death rate of effector cells", "1/day", 0.16, 0.5, 0.2, f"alpha of {STEIN}"),
    ModelParameter("m", "Differentiation of effector to memory cells", "1/day", 0.0012, 1.0, 0.5, f"k of {STEIN}"),
    ModelParameter("dM", "Death rate of memory cells", "1/day", 0.0032, 0.9, 0.4, f"beta of {STEIN}"),
    ModelParameter("x", "Antigen-driven exhaustion", "1/day", 0.30, 0.6, 0.5,
                   "assumed; shape: Kirouac 2023, Nat Biotechnol"),
    ModelParameter("dX", "Death rate of exhausted cells", "1/day", 0.20, 0.3, 0.3, ASSUMED),
    ModelParameter("aM", "Antigen-driven reactivation of memory cells", "1/day", 0.05, 0.5, 1.0, ASSUMED),
    ModelParameter("KC", "Carrying capacity of CAR-T cells", "cells/uL", 139, 1.0, 0.8, f"K_C of {KIMMEL}", 0.3),
    ModelParameter("Ks", "Antigen at half-maximal stimulation", "1e9 cells", 2, 1.0, 0.8,
                   "assumed; 10 in Leon-Triana 2021"),
    ModelParameter("b0", "Antigen on healthy B cells", "1e9 cells", 0.05, 1.0, 0.5, ASSUMED),
    ModelParameter("kk", "Maximal killing rate of tumour", "1/day", 1.15, 0.55, 0.8, f"gamma_B of {KIMMEL}", 0.6),
    ModelParameter("kB", "Effector cells at half-maximal killing", "cells/uL", 4.05, 0.6, 0.5, f"k_B of {KIMMEL}"),
    ModelParameter("g", "Growth rate of tumour", "1/day", 0.05, 0.9, 0.6,
                   f"0.01 to 0.5 of {KIMMEL}, 0.5 in a patient at most", 0.3),
    ModelParameter("T0", "Tumour burden before the first infusion", "1e9 cells", 95, 1.8, 0.3, f"94.86 mL of {KIMMEL}"),
    ModelParameter("Tmax", "Carrying capacity of tumour", "1e9 cells", 3000, 0.0, 0.0,
                   f"assumed; above 1.3e12 cells of {KIMMEL}"),
    ModelParameter("fN", "Antigen-negative fraction at baseline", "fraction", 1e-11, 20.0, 3.0,
                   f"assumed; rare: {LOSS}"),
    ModelParameter("mu", "Antigen-loss rate", "1/day", 1e-12, 1.0, 3.0, f"assumed; rare: {LOSS}"),
    ModelParameter("rL", "Recovery rate of endogenous lymphocytes", "1/day", 0.17, 0.15, 0.1, f"r_N of {KIMMEL}"),
    ModelParameter("cCy", "Log-kill of lymphocytes, cyclophosphamide", "log", 1.9, 0.25, 0.25,
                   f"cCy + cFlu = ln(500/6) of {KIMMEL}; the split assumed"),
    ModelParameter("cFlu", "Log-kill of lymphocytes, fludarabine", "log", 2.5, 0.25, 0.25,
                   f"cCy + cFlu = ln(500/6) of {KIMMEL}; the split assumed"),
    ModelParameter("phi0", "Residual effect of a course of fludarabine", "fraction", 0.90, 0.0, 0.0, ASSUMED),
    ModelParameter("kphi", "Decay rate of the residual effect", "1/day", 0.01, 0.4, 0.5,
                   "assumed: months; CD4 cells are few a year after Cy-Flu and CAR-T cells (PMC8017820)"),
    ModelParameter("A0", "Anti-CAR immunity at baseline", "fraction", 2e-4, 6.0, 3.0, ASSUMED, 0.7),
    ModelParameter("rA", "Proliferation rate of anti-CAR immunity", "1/day", 0.55, 0.4, 0.3, ASSUMED),
    ModelParameter("KA", "CAR-T cells at half-maximal proliferation of it", "cells/uL", 1, 0.8, 1.0, ASSUMED),
    ModelParameter("dA", "Decay rate of anti-CAR immunity", "1/day", 0.002, 0.5, 0.5, ASSUMED),
    ModelParameter("aH", "Immunity at which its suppression by fludarabine is halved", "fraction", 0.1,
                   0.5, 1.5, ASSUMED),
    ModelParameter("rmax", "Maximal rejection rate", "1/day", 2, 0.6, 0.8, ASSUMED, 0.4),
    ModelParameter("KR", "CAR-T cells at which rejection is halved", "cells/uL", 2, 0.6, 1.0, ASSUMED),
    ModelParameter("sA", "Fraction of the log-kill acting on anti-CAR immunity", "fraction", 0.2, 0.0, 1.0, ASSUMED),
    ModelParameter("sT", "Fraction of the log-kill acting on tumour", "fraction", 0.05, 0.6, 0.5,
                   "assumed: lymphodepletion alone seldom halves a refractory tumour"),
    ModelParameter("Tdeath", "Lethal tumour burden", "1e9 cells", 1000, 0.5, 0.4, ASSUMED),
    ModelParameter("pr", "Share of tumour left at which a response is called; in ALL only if complete",
                   "fraction", 0.5, 0.0, 0.0, "half of the tumour: products of diameters in lymphoma and CLL"),
    ModelParameter("w", "Fitness of a product, drawn for each infusion", "ratio", 1, 0.25, 0.0, ASSUMED),
)  # fmt: skip
Disease = Literal["ALL", "CLL", "NHL"]
DISEASES: tuple[Disease, ...] = ("ALL", "CLL", "NHL")


@dataclass(frozen=True)
class MixtureParameter:
    """One quantity of a population that no equation has: how patients of several kinds are mixed.

    Attributes
    ----------
    name, label, unit, source
        As of a parameter of the model.
    median, spread
        Prior median, and standard deviation of its logarithm (of its log odds for a share); spread 0: taken as certain.
    share
        Whether it is a share of patients or products, between 0 and 1.
    """

    name: str
    label: str
    unit: str
    median: float
    spread: float
    source: str
    share: bool = False


_STUDY = "Gauthier 2021, Blood 137:323: 14, 9 and 21 of 44"
MIXTURE = (
    *(MixtureParameter(d, f"Share of patients with {d}", "share", n / 44, 0.0, _STUDY, share=True)
      for d, n in zip(DISEASES, (14, 9, 21), strict=True)),
    MixtureParameter("resistant in ALL", "Share of patients with ALL that resist killing", "share", 0.12, 0.8,
                     f"assumed; {RESISTANCE}", share=True),
    MixtureParameter("resistant in CLL", "Share of patients with CLL that resist killing", "share", 0.3, 0.8,
                     f"assumed; {RESISTANCE}", share=True),
    MixtureParameter("resistant in NHL", "Share of patients with NHL that resist killing", "share", 0.3, 0.8,
                     f"assumed; {RESISTANCE}", share=True),
    MixtureParameter("killing if resistant", "Killing rate in resistant patients, over that of others", "ratio", 0.1,
                     0.5, "assumed"),
    MixtureParameter("products that fail", "Share of products that hardly expand", "share", 0.08, 0.6,
                     "assumed; failures of T cells: table 1 of PMC8432394", share=True),
    MixtureParameter("g of ALL", "Growth rate in ALL over NHL", "ratio", 1.5, 0.5, "assumed: faster"),
    MixtureParameter("g of CLL", "Growth rate in CLL over NHL", "ratio", 0.25, 0.6,
                     "treated CLL doubles in less than 6 months (Commun Med 2022, s43856-022-00117-4)"),
    MixtureParameter("T0 of ALL", "Tumour before CART1 in ALL over NHL", "ratio", 1.5, 0.6,
                     "assumed: up to 1e12 cells of marrow"),
    MixtureParameter("T0 of CLL", "Tumour before CART1 in CLL over NHL", "ratio", 2.0, 0.6,
                     "assumed: blood, marrow and nodes"),
    MixtureParameter("kk of ALL", "Killing rate in ALL over NHL", "ratio", 1.3, 0.4,
                     "assumed: blood and marrow are within reach"),
    MixtureParameter("kk of CLL", "Killing rate in CLL over NHL", "ratio", 1.0, 0.4, "assumed"),
    MixtureParameter("fN of ALL", "Antigen-negative fraction in ALL over NHL", "ratio", 1.0, 1.5, "assumed"),
    MixtureParameter("fN of CLL", "Antigen-negative fraction in CLL over NHL", "ratio", 1.0, 1.5, "assumed"),
    MixtureParameter("A0 of ALL", "Anti-CAR immunity before CART1 in ALL over NHL", "ratio", 1.0, 0.7, "assumed"),
    MixtureParameter("A0 of CLL", "Anti-CAR immunity before CART1 in CLL over NHL", "ratio", 1.0, 0.7, "assumed"),
)  # fmt: skip
OWN = ("g", "T0", "kk", "fN", "A0")
"""Parameters with a ratio of their own in each disease but NHL."""
MIXTURE_INDEX = {m.name: k for k, m in enumerate(MIXTURE)}
NAMES = tuple(p.name for p in PARAMETERS)
INDEX = {name: k for k, name in enumerate(NAMES)}
FRACTIONS = ("phi0", "fN", "A0", "sA", "sT", "pr")
"""Parameters that cannot exceed 1."""
REGIMENS = {"None": (0.0, 0.0), "Cy": (1.0, 0.0), "Flu": (0.0, 1.0), "Cy-Flu": (1.0, 1.0)}
"""Regimen class -> reference courses of cyclophosphamide and of fludarabine."""

MECHANISMS = {
    "anti-CAR immunity": {"rmax": 0.0},
    "cytokine niche": {"kap": 0.0},
    "residual effect of fludarabine": {"phi0": 0.0},
    "saturation of rejection": {"KR": 1e12},
    "exhaustion": {"x": 0.0},
    "antigen loss": {"fN": 0.0, "mu": 0.0},
    "resistance to killing": {f"resistant in {d}": 0.0 for d in DISEASES},
    "failing products": {"products that fail": 0.0},
    "saturation of killing": {"kB": 1e-9},
    "limit of expansion": {"KC": 1e12},
}
"""Mechanism -> the parameters that switch it off."""
