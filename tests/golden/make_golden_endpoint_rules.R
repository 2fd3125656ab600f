# Makes endpoint_rules.json: medians of progression-free survival and of durations of response of eleven literal patients by
# five rules, whose times are derived by hand (tests/analysis/test_rule_variants.py holds the patients). Kaplan-Meier:
# survfit, log-log limits. Competing transplant: survfit's cumulative incidence with log-log limits; the median and its
# limits are the first times at which these reach one half.
# Run from the repository's root: Rscript tests/golden/make_golden_endpoint_rules.R
suppressPackageStartupMessages(library(survival))
number <- function(x) ifelse(is.na(x), "null", sprintf("%.17g", x))
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")
first <- function(time, level) if (any(level >= 0.5, na.rm = TRUE)) min(time[which(level >= 0.5)]) else NA

median_of <- function(time, status) {
  if (any(status == 2)) {
    fit <- survfit(Surv(time, factor(status, 0:2)) ~ 1, conf.type = "log-log")
    return(c(first(fit$time, fit$pstate[, 2]), first(fit$time, fit$upper[, 2]), first(fit$time, fit$lower[, 2])))
  }
  unname(summary(survfit(Surv(time, status) ~ 1, conf.type = "log-log"))$table[c("median", "0.95LCL", "0.95UCL")])
}

case <- function(endpoint, rule, time, status) sprintf(
  '{"endpoint": "%s", "rule": "%s", "time": %s, "status": %s,\n "median": %s}', endpoint, rule, vector(time),
  vector(status), vector(median_of(time, status)))

#          A    B    C    D    E   F    G    H   I    J    K
cases <- c(
  case("pfs", "FDA",       c(200, 30, 30, 400, 28, 180, 30, 50, 30, 350, 30),  c(1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0)),
  case("pfs", "EMA",       c(200, 150, 300, 400, 28, 180, 200, 50, 100, 350, 120), c(1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0)),
  case("pfs", "missed",    c(200, 30, 30, 30, 28, 180, 30, 50, 30, 100, 30),   c(1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0)),
  case("pfs", "ignored",   c(200, 30, 300, 400, 28, 180, 30, 50, 30, 350, 120), c(1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0)),
  case("pfs", "competing", c(200, 30, 90, 400, 28, 180, 70, 50, 30, 350, 60),  c(1, 0, 2, 1, 1, 0, 2, 1, 0, 1, 2)),
  #                  A    B    C    F    J
  case("dor", "FDA",       c(170, 0, 0, 150, 320),     c(1, 0, 0, 0, 1)),
  case("dor", "EMA",       c(170, 120, 270, 150, 320), c(1, 1, 1, 0, 1)),
  case("dor", "competing", c(170, 0, 60, 150, 320),    c(1, 0, 2, 0, 1)))
depth <- c(
  #                   A    B  F
  case("docr", "FDA", c(170, 0, 150),           c(1, 0, 0)),
  #                   A   B   C   F   J
  case("response_time", "FDA",  c(30, 30, 30, 30, 30),    c(1, 1, 1, 1, 1)))
confirmed <- vector(c(2, 11, binom.test(2, 11)$conf.int))  # F and J of eleven
writeLines(sprintf('{"made_with": "%s, survival %s",\n"confirmed": %s,\n"depth": [\n%s],\n"rules": [\n%s]}', R.version.string,
                   packageVersion("survival"), confirmed, paste(depth, collapse = ",\n"), paste(cases, collapse = ",\n")),
           "tests/golden/endpoint_rules.json")
