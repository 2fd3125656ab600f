# Makes rmst.json: restricted mean survival times of data sets of R's package survival, with their standard errors, and
# differences and ratios between two groups. Run from the repository's root: Rscript tests/golden/make_golden_rmst.R
# Means and standard errors are those of survfit (print.rmean); contrasts follow Uno et al. 2014 (as in survRM2), the
# ratio on the log scale. A group's horizon is 0 to `horizon`; without one it is the least of the largest times.
suppressPackageStartupMessages(library(survival))
number <- function(x) sprintf("%.17g", x)
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")
Z <- qnorm(0.975)

one_group <- function(time, event, horizon) {
  got <- summary(survfit(Surv(time, event) ~ 1), rmean = horizon)$table
  list(mean = got[["rmean"]], se = got[["se(rmean)"]], n = length(time), events = sum(event[time <= horizon]))
}

contrast <- function(value, se, back) {
  sprintf('{"estimate": %s, "lower": %s, "upper": %s, "p": %s}', number(back(value)), number(back(value - Z * se)),
          number(back(value + Z * se)), number(2 * pnorm(-abs(value / se))))
}

case <- function(name, time, event, group, horizon = min(tapply(time, group, max))) {
  levels <- sort(unique(group))
  means <- lapply(levels, function(g) one_group(time[group == g], event[group == g], horizon))
  rows <- sapply(means, function(m) sprintf('{"mean": %s, "lower": %s, "upper": %s, "n": %d, "events": %d}',
    number(m$mean), number(m$mean - Z * m$se), number(m$mean + Z * m$se), m$n, as.integer(m$events)))
  a <- means[[1]]
  b <- means[[2]]
  ratio_se <- sqrt((a$se / a$mean)^2 + (b$se / b$mean)^2)
  sprintf('{"name": "%s", "horizon": %s,\n "time": %s,\n "event": %s,\n "group": %s,\n "means": [%s],\n "difference": %s,\n "ratio": %s}',
          name, number(horizon), vector(time), vector(event), vector(match(group, levels) - 1), paste(rows, collapse = ", "),
          contrast(b$mean - a$mean, sqrt(a$se^2 + b$se^2), identity), contrast(log(b$mean / a$mean), ratio_se, exp))
}

known <- !is.na(lung$ph.ecog) & lung$ph.ecog <= 1
cases <- c(
  case("lung by sex, one year", lung$time, lung$status - 1, lung$sex, 365.25),
  case("lung by sex", lung$time, lung$status - 1, lung$sex),
  case("lung by performance status", lung$time[known], lung$status[known] - 1, lung$ph.ecog[known], 500),
  case("veteran by treatment", veteran$time, veteran$status, veteran$trt, 180),
  case("veteran by prior therapy", veteran$time, veteran$status, veteran$prior),
  case("leukaemia by maintenance, tied times", aml$time, aml$status, as.integer(aml$x)),
  case("ovarian by treatment", ovarian$futime, ovarian$fustat, ovarian$rx, 730.5))
versions <- sprintf('"%s, survival %s"', R.version.string, packageVersion("survival"))
writeLines(paste0('{"made_with": ', versions, ',\n"rmst": [\n', paste(cases, collapse = ",\n"), ']}'), "tests/golden/rmst.json")
