"""References of the methods of synthesis and borrowing."""

from __future__ import annotations

from reinfuse.report.text.references import Reference

SYNTHESIS: dict[str, Reference] = {
    "stijnen": Reference(
        "Stijnen T, Hamza TH, Ozdemir P",
        "Random effects meta-analysis of event outcome in the framework of the generalized linear mixed model",
        "Stat Med", 2010, "29", "3046-3067", "29", "10.1002/sim.4040"),
    "knapp": Reference(
        "Knapp G, Hartung J", "Improved tests for a random effects meta-regression with a single covariate",
        "Stat Med", 2003, "22", "2693-2710", "17", "10.1002/sim.1482"),
    "rover": Reference(
        "Röver C, Knapp G, Friede T",
        "Hartung-Knapp-Sidik-Jonkman approach and its modification for random-effects meta-analysis with few studies",
        "BMC Med Res Methodol", 2015, "15", "99", "", "10.1186/s12874-015-0091-1"),
    "viechtbauer": Reference(
        "Viechtbauer W", "Confidence intervals for the amount of heterogeneity in meta-analysis",
        "Stat Med", 2007, "26", "37-52", "1", "10.1002/sim.2514"),
    "friede": Reference(
        "Friede T, et al", "Meta-analysis of few small studies in orphan diseases",
        "Res Synth Methods", 2017, "8", "79-91", "1", "10.1002/jrsm.1217"),
    "two_studies": Reference(
        "Friede T, et al",
        "Meta-analysis of two studies in the presence of heterogeneity with applications in rare diseases",
        "Biom J", 2017, "59", "658-671", "4", "10.1002/bimj.201500236"),
}  # fmt: skip
BORROWING: dict[str, Reference] = {
    "map": Reference(
        "Neuenschwander B, et al", "Summarizing historical information on controls in clinical trials",
        "Clin Trials", 2010, "7", "5-18", "1", "10.1177/1740774509356002"),
    "robust_map": Reference(
        "Schmidli H, et al",
        "Robust meta-analytic-predictive priors in clinical trials with historical control information",
        "Biometrics", 2014, "70", "1023-1032", "4", "10.1111/biom.12242"),
    "elir": Reference(
        "Neuenschwander B, Weber S, Schmidli H, O'Hagan A", "Predictively consistent prior effective sample sizes",
        "Biometrics", 2020, "76", "578-587", "2", "10.1111/biom.13252"),
    "power_prior": Reference(
        "Ibrahim JG, Chen MH", "Power prior distributions for regression models",
        "Stat Sci", 2000, "15", "46-60", "1", "10.1214/ss/1009212673"),
    "commensurate": Reference(
        "Hobbs BP, et al",
        "Hierarchical commensurate and power prior models for adaptive incorporation of historical information in "
        "clinical trials",
        "Biometrics", 2011, "67", "1047-1056", "3", "10.1111/j.1541-0420.2011.01564.x"),
    "box": Reference(
        "Box GEP", "Sampling and Bayes' inference in scientific modelling and robustness",
        "J R Stat Soc Series A", 1980, "143", "383-430", "4", "10.2307/2982063"),
}  # fmt: skip
