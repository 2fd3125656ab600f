# Makes bayesian.json: posteriors of one log ratio with weakly informative priors, by integration on fine grids.
# Run from the repository's root: Rscript tests/golden/make_golden_bayesian.R
# Logistic: the intercept, Cauchy with scale 10 at the column's mean, is integrated out; Cox: Breslow's partial likelihood.
suppressPackageStartupMessages(library(survival))
number <- function(x) sprintf("%.15g", x)
vector <- function(x) paste0("[", paste(number(as.numeric(x)), collapse = ", "), "]")
priors <- list(normal = function(b, s) dnorm(b, 0, s, log = TRUE), student_t = function(b, s) dt(b / s, 7, log = TRUE),
               cauchy = function(b, s) dcauchy(b, 0, s, log = TRUE))
logistic <- function(x, y) { x <- x - mean(x); a <- seq(-8, 8, length.out = 1601)
  sapply(B, function(b) { eta <- outer(a, b * x, "+"); v <- drop(eta %*% y) - rowSums(log1p(exp(eta))) + dcauchy(a, 0, 10, log = TRUE)
    max(v) + log(sum(exp(v - max(v)))) }) }
cox <- function(x, y, time) sapply(B, function(b) sum(sapply(which(y == 1), function(i) b * x[i] - log(sum(exp(b * x[time >= time[i]]))))))
case <- function(name, family, scale, x, y, time = NULL) {
  v <- (if (is.null(time)) logistic(x, y) else cox(x, y, time)) + priors[[family]](B, scale)
  w <- exp(v - max(v)); w <- w / sum(w); below <- cumsum(w) - w / 2
  sprintf('{"name": "%s", "family": "%s", "scale": %s, "x": %s, "event": %s, "time": %s, "quantiles": %s, "above_0": %s, "above_half": %s, "density": %s}',
          name, family, number(scale), vector(x), vector(y), if (is.null(time)) "null" else vector(time),
          vector(approx(below, B, c(0.025, 0.5, 0.975))$y), number(approx(B, 1 - below, 0)$y), number(approx(B, 1 - below, 0.5)$y),
          vector(approx(B, w / (B[2] - B[1]), DENSITY_AT)$y))
}
DENSITY_AT <- c(-0.5, 0, 0.5, 1)
B <- seq(-12, 12, length.out = 4801)
one <- c(rep(0, 14), rep(1, 9)); hit <- as.numeric(seq_along(one) %in% c(1:4, 15:20))
apart <- as.numeric(one == 1 | seq_along(one) == 1)
cases <- c(case("23 patients, normal", "normal", 1, one, hit), case("23 patients, Cauchy", "cauchy", 2.5, one, hit),
           case("23 patients, all with the factor respond, normal", "normal", 1, one, apart),
           case("aml, normal", "normal", 1, as.numeric(aml$x == "Maintained"), aml$status, aml$time),
           case("aml, Student t", "student_t", 2.5, as.numeric(aml$x == "Maintained"), aml$status, aml$time),
           case("ovarian, treatment, Cauchy", "cauchy", 2.5, ovarian$rx - 1, ovarian$fustat, ovarian$futime))
writeLines(paste0('{"made_with": "', R.version.string, ", survival ", packageVersion("survival"), '",\n"posterior": [\n',
                  paste(cases, collapse = ",\n"), ']}'), "tests/golden/bayesian.json")
