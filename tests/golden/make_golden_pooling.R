# Makes pooling.json: tests and odds ratios of strata. Run from the repository's root:
# Rscript tests/golden/make_golden_pooling.R
# Log-rank: survdiff with strata() of R's package survival. Tables: mantelhaen.test of R's package stats, without
# continuity correction and exact, its equations solved to 1e-14.
suppressPackageStartupMessages(library(survival))
number <- function(x) sprintf("%.17g", x)
vector <- function(x) paste0("[", paste(number(as.numeric(x)), collapse = ", "), "]")
or_null <- function(x) if (is.finite(x)) number(x) else "null"

log_rank <- function(name, time, event, group, stratum) {
  kept <- complete.cases(time, event, group, stratum)
  time <- time[kept]; event <- event[kept]; group <- as.integer(factor(group[kept])) - 1
  stratum <- as.integer(factor(stratum[kept])) - 1
  test <- survdiff(Surv(time, event) ~ group + strata(stratum))
  df <- length(test$n) - 1
  sprintf('{"name": "%s", "time": %s, "event": %s, "group": %s, "stratum": %s, "chisq": %s, "df": %d, "p": %s}', name,
          vector(time), vector(event), vector(group), vector(stratum), number(test$chisq), as.integer(df),
          number(pchisq(test$chisq, df, lower.tail = FALSE)))
}

fine <- new.env(parent = environment(mantelhaen.test)) # uniroot's own tolerance leaves four digits
fine$uniroot <- function(...) stats::uniroot(..., tol = 1e-14)
mantelhaen_finely <- stats::mantelhaen.test
environment(mantelhaen_finely) <- fine

tables <- function(name, counts) { # strata in rows: a, b, c, d
  x <- array(t(counts)[c(1, 3, 2, 4), ], c(2, 2, nrow(counts))) # filled by columns: a, c, b, d
  mh <- mantelhaen.test(x, correct = FALSE)
  exact <- mantelhaen_finely(x, exact = TRUE)
  record <- function(m) sprintf('{"estimate": %s, "lower": %s, "upper": %s, "p": %s}', or_null(m$estimate),
                                or_null(m$conf.int[1]), or_null(m$conf.int[2]), number(m$p.value))
  rows <- paste(apply(counts, 1, vector), collapse = ", ")
  sprintf('{"name": "%s", "tables": [%s],\n "mantel_haenszel": %s,\n "exact": %s}', name, rows, record(mh), record(exact))
}

u <- UCBAdmissions # Admit x Gender x Dept: admitted men, rejected men, admitted women, rejected women
admissions <- t(apply(u, 3, function(m) c(m[1, 1], m[2, 1], m[1, 2], m[2, 2])))
rabbits <- rbind(c(0, 6, 0, 5), c(3, 3, 0, 6), c(6, 0, 2, 4), c(5, 1, 6, 0), c(2, 0, 5, 0)) # help(mantelhaen.test)
small <- rbind(c(4, 1, 1, 3), c(3, 2, 2, 4), c(2, 3, 1, 5), c(3, 0, 2, 2))
logs <- c(
  log_rank("lung by institution", lung$time, lung$status - 1, lung$sex, lung$inst),
  log_rank("lung, four levels, few strata", lung$time, lung$status - 1, lung$ph.ecog, lung$inst %% 4),
  log_rank("colon, three arms", colon$time[colon$etype == 2], colon$status[colon$etype == 2],
           colon$rx[colon$etype == 2], colon$nodes[colon$etype == 2] %% 5))
counts <- c(tables("UCBAdmissions", admissions), tables("Rabbits", rabbits), tables("four small centres", small))
writeLines(c('{"versions": {"R": "', R.version.string, '", "survival": "', as.character(packageVersion("survival")), '"},\n',
             '"log_rank": [', paste(logs, collapse = ",\n"), '],\n"tables": [', paste(counts, collapse = ",\n"), ']}'),
           "tests/golden/pooling.json", sep = "")
