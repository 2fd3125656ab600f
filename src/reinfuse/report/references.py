"""References of the methods and criteria, cited when they were used."""

from __future__ import annotations

REFERENCES = {
    "study": "Gauthier J, et al. Factors associated with outcomes after a second CD19-targeted "
    "CAR T-cell infusion for refractory B-cell malignancies. Blood 2021;137(3):323-335. doi:10.1182/blood.2020006770",
    "clopper": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the "
    "binomial. Biometrika 1934;26:404-413.",
    "kaplan": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. "
    "J Am Stat Assoc 1958;53:457-481.",
    "brookmeyer": "Brookmeyer R, Crowley J. A confidence interval for the median survival time. "
    "Biometrics 1982;38:29-41.",
    "follow_up": "Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time. "
    "Control Clin Trials 1996;17:343-346.",
    "log_rank": "Mantel N. Evaluation of survival data and two new rank order statistics arising in its consideration. "
    "Cancer Chemother Rep 1966;50:163-170.",
    "aalen": "Aalen OO, Johansen S. An empirical transition matrix for non-homogeneous Markov chains based on censored "
    "observations. Scand J Stat 1978;5:141-150.",
    "firth": "Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38.",
    "firth_logistic": "Heinze G, Schemper M. A solution to the problem of separation in logistic regression. "
    "Stat Med 2002;21:2409-2419.",
    "firth_cox": "Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox regression. "
    "Biometrics 2001;57:114-119.",
    "iwcll": "Hallek M, et al. iwCLL guidelines for diagnosis, indications for treatment, "
    "response assessment, and supportive management of CLL. Blood 2018;131:2745-2760.",
    "lugano": "Cheson BD, et al. Recommendations for initial evaluation, staging, and "
    "response assessment of Hodgkin and non-Hodgkin lymphoma: the Lugano classification. J Clin Oncol "
    "2014;32:3059-3068.",
    "astct": "Lee DW, et al. ASTCT consensus grading for cytokine release syndrome and "
    "neurologic toxicity associated with immune effector cells. Biol Blood Marrow Transplant 2019;25:625-638.",
    "strobe": "von Elm E, et al. The Strengthening the Reporting of Observational Studies in "
    "Epidemiology (STROBE) statement. Lancet 2007;370:1453-1457.",
}
"""In the order in which the methods paragraph cites them."""
