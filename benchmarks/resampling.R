# The loops of resampling.py written with survival::coxph. Arguments: data CSV, weights CSV, output JSON.
suppressPackageStartupMessages({library(survival); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
data <- read.csv(args[1])
weights <- as.matrix(read.csv(args[2]))
factors <- grep("^x", names(data), value = TRUE)
subsets <- expand.grid(rep(list(c(FALSE, TRUE)), length(factors)))[-1, ]
averaging <- system.time(loglik <- apply(subsets, 1, function(s) {
  formula <- reformulate(factors[unlist(s)], "Surv(time, event)")
  suppressWarnings(coxph(formula, data, ties = "breslow"))$loglik[2]
}))[["elapsed"]]
full <- reformulate(factors, "Surv(time, event)")
refits <- system.time(coef <- t(apply(weights, 1, function(w) {
  data$w <- w
  suppressWarnings(coxph(full, data[w > 0, ], weights = w, ties = "breslow"))$coef
})))[["elapsed"]]
names(loglik) <- NULL
writeLines(toJSON(list(averaging = unbox(averaging), refits = unbox(refits), loglik = loglik,
                       subsets = apply(subsets, 1, function(s) paste(as.integer(unlist(s)), collapse = "")),
                       coef = unname(coef), versions = list(R = unbox(as.character(getRversion())),
                       survival = unbox(as.character(packageVersion("survival"))))), digits = NA, na = "null"), args[3])
