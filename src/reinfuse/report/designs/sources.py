"""References of study designs and of curves made into patients."""

from __future__ import annotations

from reinfuse.report.text.references import REFERENCES, Reference

SOURCES = {
    **{key: REFERENCES[key] for key in ("clopper", "kaplan", "brookmeyer", "firth_cox")},
    "simon": Reference(
        "Simon R", "Optimal two-stage designs for phase II clinical trials", "Control Clin Trials", 1989, "10", "1-10",
        "1", "10.1016/0197-2456(89)90015-9"),
    "predictive": Reference(
        "Lee JJ, Liu DD", "A predictive probability design for phase II cancer clinical trials", "Clin Trials", 2008,
        "5", "93-106", "2", "10.1177/1740774508089279"),
    "robust": Reference(
        "Schmidli H, Gsteiger S, Roychoudhury S, O'Hagan A, Spiegelhalter D, Neuenschwander B",
        "Robust meta-analytic-predictive priors in clinical trials with historical control information", "Biometrics",
        2014, "70", "1023-1032", "4", "10.1111/biom.12242"),
    "boin": Reference(
        "Liu S, Yuan Y", "Bayesian optimal interval designs for phase I clinical trials", "J R Stat Soc C", 2015, "64",
        "507-523", "3", "10.1111/rssc.12089"),
    "one_sample": Reference(
        "Finkelstein DM, Muzikansky A, Schoenfeld DA",
        "Comparing survival of a sample to that of a standard population", "J Natl Cancer Inst", 2003, "95",
        "1434-1439", "19", "10.1093/jnci/djg052"),
    "one_sample_size": Reference(
        "Wu J", "Sample size calculation for the one-sample log-rank test", "Pharm Stat", 2015, "14", "26-33", "1",
        "10.1002/pst.1654"),
    "precision": Reference(
        "Bland JM", "The tyranny of power: is there a better way to calculate sample size?", "BMJ", 2009, "339",
        "b3985", doi="10.1136/bmj.b3985"),
    "roc_area": Reference(
        "Hanley JA, McNeil BJ", "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
        "Radiology", 1982, "143", "29-36", "1", "10.1148/radiology.143.1.7063747"),
    "events": Reference(
        "Schoenfeld D",
        "The asymptotic properties of nonparametric tests for comparing survival distributions", "Biometrika", 1981,
        "68", "316-319", "1", "10.1093/biomet/68.1.316"),
    "guyot": Reference(
        "Guyot P, Ades AE, Ouwens MJ, Welton NJ",
        "Enhanced secondary analysis of survival data: reconstructing the data from published Kaplan-Meier survival "
        "curves", "BMC Med Res Methodol", 2012, "12", "9", doi="10.1186/1471-2288-12-9"),
    "confidence_distribution": Reference(
        "Xie M, Singh K",
        "Confidence distribution, the frequentist distribution estimator of a parameter: a review", "Int Stat Rev",
        2013, "81", "3-39", "1", "10.1111/insr.12000"),
}  # fmt: skip
