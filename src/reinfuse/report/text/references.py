"""References of the methods and criteria, cited when they were used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """An article.

    Attributes
    ----------
    authors
        `Kaplan EL, Meier P`; the last may be `et al`.
    journal
        Its ISO abbreviation.
    issue, doi
        Only where they are certain; BibTeX always has them.
    in_full
        Whether the text has them too: journals leave them out where volume and page are enough.
    """

    authors: str
    title: str
    journal: str
    year: int
    volume: str
    pages: str
    issue: str = ""
    doi: str = ""
    in_full: bool = False

    @property
    def text(self) -> str:
        """The reference as journals print it (Vancouver style)."""
        stop = "" if self.title.endswith("?") else "."
        issue = f"({self.issue})" if self.issue and self.in_full else ""
        doi = f" doi:{self.doi}" if self.doi and self.in_full else ""
        return f"{self.authors}. {self.title}{stop} {self.journal} {self.year};{self.volume}{issue}:{self.pages}.{doi}"


REFERENCES = {
    "study": Reference(
        "Gauthier J, et al",
        "Factors associated with outcomes after a second CD19-targeted CAR T-cell infusion for refractory B-cell malignancies",
        "Blood", 2021, "137", "323-335", "3", "10.1182/blood.2020006770", in_full=True),
    "clopper": Reference(
        "Clopper CJ, Pearson ES", "The use of confidence or fiducial limits illustrated in the case of the binomial",
        "Biometrika", 1934, "26", "404-413", "4", "10.1093/biomet/26.4.404"),
    "standardised_difference": Reference(
        "Austin PC",
        "Balance diagnostics for comparing the distribution of baseline covariates between treatment groups in propensity-score matched samples",
        "Stat Med", 2009, "28", "3083-3107", "25", "10.1002/sim.3697"),
    "multinomial_difference": Reference(
        "Yang D, Dalton JE", "A unified approach to measuring the effect size between two groups using SAS",
        "Proc SAS Glob Forum", 2012, "335", "1-6"),
    "freeman_halton": Reference(
        "Freeman GH, Halton JH", "Note on an exact treatment of contingency, goodness of fit and other problems of significance",
        "Biometrika", 1951, "38", "141-149", doi="10.1093/biomet/38.1-2.141"),
    "kaplan": Reference(
        "Kaplan EL, Meier P", "Nonparametric estimation from incomplete observations",
        "J Am Stat Assoc", 1958, "53", "457-481", "282", "10.1080/01621459.1958.10501452"),
    "brookmeyer": Reference(
        "Brookmeyer R, Crowley J", "A confidence interval for the median survival time",
        "Biometrics", 1982, "38", "29-41", "1", "10.2307/2530286"),
    "follow_up": Reference(
        "Schemper M, Smith TL", "A note on quantifying follow-up in studies of failure time",
        "Control Clin Trials", 1996, "17", "343-346", "4", "10.1016/0197-2456(96)00075-X"),
    "log_rank": Reference(
        "Mantel N", "Evaluation of survival data and two new rank order statistics arising in its consideration",
        "Cancer Chemother Rep", 1966, "50", "163-170", "3"),
    "aalen": Reference(
        "Aalen OO, Johansen S",
        "An empirical transition matrix for non-homogeneous Markov chains based on censored observations",
        "Scand J Stat", 1978, "5", "141-150", "3"),
    "firth": Reference(
        "Firth D", "Bias reduction of maximum likelihood estimates",
        "Biometrika", 1993, "80", "27-38", "1", "10.1093/biomet/80.1.27"),
    "firth_logistic": Reference(
        "Heinze G, Schemper M", "A solution to the problem of separation in logistic regression",
        "Stat Med", 2002, "21", "2409-2419", "16", "10.1002/sim.1047"),
    "firth_cox": Reference(
        "Heinze G, Schemper M", "A solution to the problem of monotone likelihood in Cox regression",
        "Biometrics", 2001, "57", "114-119", "1", "10.1111/j.0006-341X.2001.00114.x"),
    "bootstrap": Reference(
        "DiCiccio TJ, Martin MA, Stern SE",
        "Simple and accurate one-sided inference from signed roots of likelihood ratios",
        "Can J Stat", 2001, "29", "67-76"),
    "inversion": Reference(
        "Carpenter J", "Test inversion bootstrap confidence intervals",
        "J R Stat Soc B", 1999, "61", "159-172"),
    "randomisation": Reference(
        "Candès E, et al", "Panning for gold: 'model-X' knockoffs for high dimensional controlled variable selection",
        "J R Stat Soc B", 2018, "80", "551-577", "3", "10.1111/rssb.12265"),
    "studentised": Reference(
        "Neuhaus G", "Conditional rank tests for the two-sample problem under random censorship",
        "Ann Stat", 1993, "21", "1760-1779", "4", "10.1214/aos/1176349396"),
    "averaging": Reference(
        "Volinsky CT, Raftery AE", "Bayesian information criterion for censored survival models",
        "Biometrics", 2000, "56", "256-262", "1"),
    "stability": Reference(
        "Heinze G, Wallisch C, Dunkler D",
        "Variable selection: a review and recommendations for the practicing statistician",
        "Biom J", 2018, "60", "431-449", "3", "10.1002/bimj.201700067"),
    "optimism": Reference(
        "Harrell FE, Lee KL, Mark DB",
        "Multivariable prognostic models: issues in developing models, evaluating assumptions and adequacy, and measuring and reducing errors",
        "Stat Med", 1996, "15", "361-387", "4", "10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4"),
    "schoenfeld": Reference(
        "Grambsch PM, Therneau TM", "Proportional hazards tests and diagnostics based on weighted residuals",
        "Biometrika", 1994, "81", "515-526", "3", "10.1093/biomet/81.3.515"),
    "e_value": Reference(
        "VanderWeele TJ, Ding P", "Sensitivity analysis in observational research: introducing the E-value",
        "Ann Intern Med", 2017, "167", "268-274", "4", "10.7326/M16-2607"),
    "bh": Reference(
        "Benjamini Y, Hochberg Y",
        "Controlling the false discovery rate: a practical and powerful approach to multiple testing",
        "J R Stat Soc B", 1995, "57", "289-300", "1", "10.1111/j.2517-6161.1995.tb02031.x"),
    "mice": Reference(
        "White IR, Royston P, Wood AM", "Multiple imputation using chained equations: issues and guidance for practice",
        "Stat Med", 2011, "30", "377-399", "4", "10.1002/sim.4067"),
    "mi_survival": Reference(
        "White IR, Royston P", "Imputing missing covariate values for the Cox model",
        "Stat Med", 2009, "28", "1982-1998", "15", "10.1002/sim.3618"),
    "barnard": Reference(
        "Barnard J, Rubin DB", "Small-sample degrees of freedom with multiple imputation",
        "Biometrika", 1999, "86", "948-955", "4", "10.1093/biomet/86.4.948"),
    "gray": Reference(
        "Gray RJ", "A class of K-sample tests for comparing the cumulative incidence of a competing risk",
        "Ann Stat", 1988, "16", "1141-1154", "3", "10.1214/aos/1176350951"),
    "fine_gray": Reference(
        "Fine JP, Gray RJ", "A proportional hazards model for the subdistribution of a competing risk",
        "J Am Stat Assoc", 1999, "94", "496-509", "446", "10.1080/01621459.1999.10474144"),
    "landmark": Reference(
        "Anderson JR, Cain KC, Gelber RD", "Analysis of survival by tumor response",
        "J Clin Oncol", 1983, "1", "710-719", "11", "10.1200/JCO.1983.1.11.710"),
    "counting": Reference(
        "Andersen PK, Gill RD", "Cox's regression model for counting processes: a large sample study",
        "Ann Stat", 1982, "10", "1100-1120", "4", "10.1214/aos/1176345976"),
    "g_computation": Reference(
        "Snowden JM, Rose S, Mortimer KM",
        "Implementation of G-computation on a simulated data set: demonstration of a causal inference technique",
        "Am J Epidemiol", 2011, "173", "731-738", "7", "10.1093/aje/kwq472"),
    "flic": Reference(
        "Puhr R, et al", "Firth's logistic regression with rare events: accurate effect estimates and predictions?",
        "Stat Med", 2017, "36", "2302-2317", "14", "10.1002/sim.7273"),
    "weighting": Reference(
        "Cole SR, Hernán MA", "Constructing inverse probability weights for marginal structural models",
        "Am J Epidemiol", 2008, "168", "656-664", "6", "10.1093/aje/kwn164"),
    "mcnemar": Reference(
        "McNemar Q", "Note on the sampling error of the difference between correlated proportions or percentages",
        "Psychometrika", 1947, "12", "153-157", "2", "10.1007/BF02295996"),
    "gmi": Reference(
        "Von Hoff DD", "There are no bad anticancer agents, only bad clinical trial designs",
        "Clin Cancer Res", 1998, "4", "1079-1086"),
    "turnbull": Reference(
        "Turnbull BW", "The empirical distribution function with arbitrarily grouped, censored and truncated data",
        "J R Stat Soc Series B", 1976, "38", "290-295", "3", "10.1111/j.2517-6161.1976.tb01597.x"),
    "hudgens": Reference(
        "Hudgens MG, Satten GA, Longini IM",
        "Nonparametric maximum likelihood estimation for competing risks survival data subject to interval censoring and truncation",
        "Biometrics", 2001, "57", "74-80", "1", "10.1111/j.0006-341X.2001.00074.x"),
    "cr2": Reference(
        "Pustejovsky JE, Tipton E",
        "Small-sample methods for cluster-robust variance estimation and hypothesis testing in fixed effects models",
        "J Bus Econ Stat", 2018, "36", "672-683", "4", "10.1080/07350015.2016.1247004"),
    "mediation": Reference(
        "VanderWeele TJ", "Mediation analysis: a practitioner's guide",
        "Annu Rev Public Health", 2016, "37", "17-32", "", "10.1146/annurev-publhealth-032315-021402"),
    "stein": Reference(
        "Stein AM, et al",
        "Tisagenlecleucel model-based cellular kinetic analysis of chimeric antigen receptor-T cells",
        "CPT Pharmacometrics Syst Pharmacol", 2019, "8", "285-295", "5", "10.1002/psp4.12388"),
    "beal": Reference(
        "Beal SL", "Ways to fit a PK model with some data below the quantification limit",
        "J Pharmacokinet Pharmacodyn", 2001, "28", "481-504", "5", "10.1023/A:1012299115260"),
    "nuts": Reference(
        "Hoffman MD, Gelman A", "The no-U-turn sampler: adaptively setting path lengths in Hamiltonian Monte Carlo",
        "J Mach Learn Res", 2014, "15", "1593-1623"),
    "rhat": Reference(
        "Vehtari A, et al",
        "Rank-normalization, folding, and localization: an improved R-hat for assessing convergence of MCMC",
        "Bayesian Anal", 2021, "16", "667-718", "2", "10.1214/20-BA1221"),
    "vpc": Reference(
        "Bergstrand M, Karlsson MO",
        "Handling data below the limit of quantification in mixed effect models",
        "AAPS J", 2009, "11", "371-380", "2", "10.1208/s12248-009-9112-5"),
    "joint": Reference(
        "Tsiatis AA, Davidian M", "Joint modeling of longitudinal and time-to-event data: an overview",
        "Stat Sin", 2004, "14", "809-834", "3"),
    "iwcll": Reference(
        "Hallek M, et al",
        "iwCLL guidelines for diagnosis, indications for treatment, response assessment, and supportive management of CLL",
        "Blood", 2018, "131", "2745-2760", "25", "10.1182/blood-2017-09-806398"),
    "lugano": Reference(
        "Cheson BD, et al",
        "Recommendations for initial evaluation, staging, and response assessment of Hodgkin and non-Hodgkin lymphoma: the Lugano classification",
        "J Clin Oncol", 2014, "32", "3059-3068", "27", "10.1200/JCO.2013.54.8800"),
    "astct": Reference(
        "Lee DW, et al",
        "ASTCT consensus grading for cytokine release syndrome and neurologic toxicity associated with immune effector cells",
        "Biol Blood Marrow Transplant", 2019, "25", "625-638", "4", "10.1016/j.bbmt.2018.12.758"),
    "strobe": Reference(
        "von Elm E, et al",
        "The Strengthening the Reporting of Observational Studies in Epidemiology (STROBE) statement",
        "Lancet", 2007, "370", "1453-1457", "9596", "10.1016/S0140-6736(07)61602-X"),
}  # fmt: skip
"""In the order in which the methods paragraph cites them."""


def cited(*keys: str) -> dict[str, Reference]:
    """Return these references by key."""
    return {key: REFERENCES[key] for key in keys}
