# Makes concordance.json: c-indices with standard errors by survival::concordance, of predictors with ties, times with ties
# and binary outcomes. Run from the repository's root: Rscript tests/golden/make_golden_concordance.R
suppressPackageStartupMessages(library(survival))
number <- function(x) sprintf("%.15g", x)
vector <- function(x) paste0("[", paste(number(as.numeric(x)), collapse = ", "), "]")
case <- function(name, score, event, time = NULL) {
  got <- if (is.null(time)) concordance(event ~ score) else concordance(Surv(time, event) ~ score, reverse = TRUE)
  sprintf('{"name": "%s", "score": %s, "event": %s, "time": %s, "c": %s, "error": %s}', name, vector(score), vector(event),
          if (is.null(time)) "null" else vector(time), number(got$concordance), number(sqrt(got$var)))
}
few <- veteran[1:60, ]
cases <- c(case("ovarian, age", ovarian$age, ovarian$fustat, ovarian$futime), case("veteran, performance, tied", -few$karno, few$status, few$time),
           case("aml, maintenance, a binary predictor", as.numeric(aml$x == "Nonmaintained"), aml$status, aml$time),
           case("mtcars, transmission by weight", -mtcars$wt, mtcars$am), case("infert, age, tied", infert$age[1:80], infert$case[c(1:40, 100:139)]))
writeLines(paste0('{"made_with": "', R.version.string, ", survival ", packageVersion("survival"), '",\n"concordance": [\n',
                  paste(cases, collapse = ",\n"), ']}'), "tests/golden/concordance.json")
