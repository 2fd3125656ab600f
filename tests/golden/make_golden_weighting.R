# Makes weighting.json: standardised outcomes of two yes/no treatments with a confounder and their product in the outcome
# model, by g-computation, weighting and both (AIPW), with weights, effective sizes and balance; and pseudo-values of
# Kaplan-Meier estimates by leaving each patient out of survfit. Run from the repository's root:
# Rscript tests/golden/make_golden_weighting.R
# Firth's logistic models are brglm2's; the rest is written out.
suppressPackageStartupMessages({library(survival); library(brglm2)})
number <- function(x) sprintf("%.15g", x)
vector <- function(x) paste0("[", paste(number(as.numeric(x)), collapse = ", "), "]")
firth <- function(X, y) { colnames(X) <- paste0("x", seq_len(ncol(X)))  # brglm2 drops columns of one name
  unname(coef(glm(y ~ X, family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 1000))) }

own <- veteran[veteran$celltype != "large", ]
a <- as.numeric(own$trt == 2); b <- as.numeric(own$prior == 10); z <- own$age
y <- as.numeric(own$karno >= 60)
L <- cbind((z - mean(z)) / sqrt(mean((z - mean(z))^2)))
outcome <- firth(cbind(a, b, a * b, L), y)
eta <- function(a, b, k) k + outcome[2] * a + outcome[3] * b + outcome[4] * a * b + outcome[5] * L[, 1]
flic <- uniroot(function(k) sum(y - plogis(eta(a, b, k))), c(-20, 20), tol = 1e-13)$root
first <- firth(L, a); second <- firth(cbind(L, a), b)
cases <- character(0)
for (i in 0:1) for (j in 0:1) {
  had <- a == i & b == j
  p1 <- plogis(first[1] + first[2] * L[, 1]); p2 <- plogis(second[1] + second[2] * L[, 1] + second[3] * i)
  probability <- (if (i) p1 else 1 - p1) * (if (j) p2 else 1 - p2)
  m <- plogis(eta(i, j, flic)); w <- had / probability
  bias <- function(w) (sum(w * z) / sum(w) - mean(z)) / sd(z)
  values <- c(g = mean(m), ipw = sum(w * y) / sum(w), aipw = mean(m + had * (y - m) / probability), n = sum(had),
              effective = sum(w)^2 / sum(w^2), smallest = min(w[had]), largest = max(w), lowest = min(probability),
              before = bias(as.numeric(had)), after = bias(w))
  cases <- c(cases, paste0("{", paste(sprintf('"%s": %s', names(values), number(values)), collapse = ", "), "}"))
}
pseudo <- function(name, time, event, day) {
  at <- function(keep) summary(survfit(Surv(time[keep], event[keep]) ~ 1), times = day, extend = TRUE)$surv
  n <- length(time); all_of_them <- at(rep(TRUE, n))
  values <- sapply(seq_len(n), function(i) n * all_of_them - (n - 1) * at(seq_len(n) != i))
  sprintf('{"name": "%s", "day": %s, "time": %s, "event": %s, "pseudo": %s}', name, number(day), vector(time), vector(event), vector(values))
}
pseudos <- c(pseudo("ovarian, a year", ovarian$futime, ovarian$fustat, 365.25), pseudo("aml, tied times", aml$time, aml$status, 23),
             pseudo("aml, late", aml$time, aml$status, 45))
versions <- sprintf('"%s, survival %s, brglm2 %s"', R.version.string, packageVersion("survival"), packageVersion("brglm2"))
writeLines(paste0('{"made_with": ', versions, ',\n"a": ', vector(a), ',\n"b": ', vector(b), ',\n"z": ', vector(z), ',\n"y": ', vector(y),
  ',\n"protocols": [\n', paste(cases, collapse = ",\n"), '],\n"pseudo": [\n', paste(pseudos, collapse = ",\n"), ']}'), "tests/golden/weighting.json")
