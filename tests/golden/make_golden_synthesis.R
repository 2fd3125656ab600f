# Makes synthesis.json: random-effects models of single-arm proportions and of log hazard ratios by metafor (and lme4's
# maximum for the binomial-normal model). Run from the repository's root: Rscript tests/golden/make_golden_synthesis.R
# lme4 maximises by a simplex that stops early: its numbers hold to about 1e-5. metafor's logLik of these models is the
# conditional one, at the modes of the random effects; the marginal one is that of lme4 with the saturated model's added.
suppressPackageStartupMessages({library(metafor); library(lme4)})
number <- function(x) ifelse(is.finite(x), sprintf("%.12g", x), "null")
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")

proportions <- list(
  list("CR of four studies", c(9, 5, 13, 4), c(44, 18, 19, 13)),
  list("CR, one study without event", c(9, 5, 0, 13, 4), c(44, 10, 8, 19, 13)),
  list("AS of RBesT", c(23, 12, 19, 9, 39, 6, 9, 10), c(107, 44, 51, 39, 139, 20, 78, 35)),
  list("ORR of three studies, boundary", c(11, 3, 7), c(21, 9, 13)),
  list("events alone in one study", c(7, 3, 9), c(12, 11, 9)))

mixed <- function(case) {
  x <- case[[2]]; n <- case[[3]]; study <- factor(seq_along(x))
  fit <- rma.glmm(measure = "PLO", xi = x, ni = n, nAGQ = 21)
  predicted <- predict(fit)
  best <- glmer(cbind(x, n - x) ~ 1 + (1 | study), family = binomial, nAGQ = 21)
  saturated <- sum(dbinom(x, n, x / n, log = TRUE))
  sprintf('{"name": "%s", "events": %s, "n": %s, "mean": %s, "se": %s, "tau2": %s, "wald": %s, "prediction": %s, "lrt": %s, "p": %s, "conditional": %s, "marginal": %s}',
    case[[1]], vector(x), vector(n), number(c(fit$beta)), number(fit$se), number(fit$tau2),
    vector(c(predicted$ci.lb, predicted$ci.ub)), vector(c(predicted$pi.lb, predicted$pi.ub)), number(fit$QE.LRT),
    number(fit$QEp.LRT), number(fit$fit.stats["ll", "ML"]), number(c(logLik(best)) + saturated))
}

restricted <- function(name, y, v) {
  fit <- rma(y, v, test = "knha", control = list(threshold = 1e-12))
  predicted <- predict(fit)
  limits <- confint(fit, control = list(tau2.max = 1e4))$random["tau^2", c("ci.lb", "ci.ub")]
  sprintf('{"name": "%s", "effects": %s, "variances": %s, "mean": %s, "se": %s, "tau2": %s, "tau2_interval": %s, "interval": %s, "prediction": %s, "q": %s, "p": %s, "i2": %s}',
    name, vector(y), vector(v), number(c(fit$beta)), number(fit$se), number(fit$tau2), vector(limits),
    vector(c(predicted$ci.lb, predicted$ci.ub)), vector(c(predicted$pi.lb, predicted$pi.ub)), number(fit$QE),
    number(fit$QEp), number(fit$I2 / 100))
}

normal <- sapply(proportions, function(case) {
  e <- escalc(measure = "PLO", xi = case[[2]], ni = case[[3]], to = "only0")
  restricted(case[[1]], c(e$yi), c(e$vi))
})
ratios <- c(0.49, 0.47, 0.56); lower <- c(0.36, 0.33, 0.44); upper <- c(0.68, 0.69, 0.72)
normal <- c(normal, restricted("log hazard ratios", log(ratios), (log(upper / lower) / (2 * qnorm(0.975)))^2))
groups <- rma(c(-0.7, 0.4, 0.1), c(0.2, 0.1, 0.3), mods = ~ factor(c("a", "b", "c")) - 1, method = "FE")
between <- rma(c(-0.7, 0.4, 0.1), c(0.2, 0.1, 0.3), method = "FE")
cat('{"versions": "', R.version.string, ", metafor ", as.character(packageVersion("metafor")), ", lme4 ",
    as.character(packageVersion("lme4")), '",\n"mixed": [', paste(sapply(proportions, mixed), collapse = ",\n"),
    '],\n"normal": [', paste(normal, collapse = ",\n"), '],\n"subgroups": {"means": [-0.7, 0.4, 0.1], "variances": [0.2, 0.1, 0.3], "q": ',
    number(between$QE), ', "p": ', number(between$QEp), "}}\n", sep = "", file = "tests/golden/synthesis.json")
