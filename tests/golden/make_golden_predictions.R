# Makes predictions.json: Brier scores, their paired difference from leave-one-out base rates, the Firth slope of
# calibration and exact intervals of groups, of three sets of predictions. Run from the repository's root:
# Rscript tests/golden/make_golden_predictions.R
suppressPackageStartupMessages({
  library(brglm2)
  library(jsonlite)
})
case <- function(name, expected, outcome, groups) {
  n <- length(outcome)
  base <- (sum(outcome) - outcome) / (n - 1)
  own <- (expected - outcome)^2
  other <- (base - outcome)^2
  paired <- t.test(own, other, paired = TRUE)
  fit <- glm(outcome ~ qlogis(expected), family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 1000)
  order <- order(expected)
  size <- rep(n %/% groups, groups) + (seq_len(groups) <= n %% groups)
  parts <- split(order, rep(seq_len(groups), size))
  rows <- lapply(parts, function(k) {
    exact <- binom.test(sum(outcome[k]), length(k))$conf.int
    list(expected = mean(expected[k]), events = sum(outcome[k]), n = length(k), lower = exact[1], upper = exact[2])
  })
  list(name = name, expected = expected, outcome = outcome, groups = unname(rows), brier = mean(own),
       reference = mean(other), difference = mean(own) - mean(other), lower = paired$conf.int[1],
       upper = paired$conf.int[2], slope = unname(coef(fit)[2]))
}
set.seed(7)
p <- round(runif(44, 0.1, 0.9), 3)
y <- rbinom(44, 1, p)
q <- round(plogis(rnorm(23, -1, 2)), 3)
z <- rbinom(23, 1, 0.4)
cases <- list(case("calibrated", p, y, 4), case("too far apart", q, z, 2),
              case("seven", c(0.2, 0.35, 0.5, 0.55, 0.6, 0.75, 0.8), c(0, 1, 0, 1, 1, 0, 1), 2))
writeLines(toJSON(list(R = R.version.string, cases = cases), digits = 17, auto_unbox = TRUE, pretty = 1),
           "tests/golden/predictions.json")
