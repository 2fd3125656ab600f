# Makes golden.json: data of each case beside R's numbers, so that the tests need no R.
# Run from the repository's root: Rscript tests/golden/make_golden.R
# Firth models: coefficients of the logistic ones from brglm2 (AS_mean, which for a logit is Firth's penalty); penalised
# likelihood ratios and profile limits of all, and the Cox coefficients, from the functions below, written from the papers
# (Heinze and Schemper 2001, 2002) and independent of any Firth package; they must agree with brglm2 to 1e-7.
suppressPackageStartupMessages({library(survival); library(brglm2); library(cmprsk); library(jsonlite)})
na <- function(x) if (length(x) == 0 || is.na(x) || !is.finite(x)) NULL else unbox(x)
DAYS <- c(182.625, 365.25, 730.5)

kaplan_meier <- function(name, time, event) {
  fit <- survfit(Surv(time, event) ~ 1, conf.type = "log-log")
  # The medians that print.survfit shows; quantile.survfit differs where the curve ends at exactly one half.
  q <- summary(fit)$table[c("median", "0.95LCL", "0.95UCL")]
  reverse <- summary(survfit(Surv(time, 1 - event) ~ 1, conf.type = "log-log"))$table[c("median", "0.95LCL", "0.95UCL")]
  days <- DAYS[DAYS <= max(time)]
  at <- if (length(days)) summary(fit, times = days) else list()
  list(name = unbox(name), time = time, event = event, n = unbox(fit$n), events = unbox(sum(event)),
       median = list(estimate = na(q[[1]]), lower = na(q[[2]]), upper = na(q[[3]])),
       follow_up = list(estimate = na(reverse[[1]]), lower = na(reverse[[2]]), upper = na(reverse[[3]])),
       rates = data.frame(day = at$time, survival = at$surv, lower = at$lower, upper = at$upper, at_risk = at$n.risk))
}

log_rank <- function(name, time, event, group) {
  got <- survdiff(Surv(time, event) ~ group)
  df <- sum(got$exp > 0) - 1  # survdiff leaves out groups of whom nobody is at risk at an event
  list(name = unbox(name), time = time, event = event, group = as.character(group), chisq = unbox(got$chisq),
       p = unbox(pchisq(got$chisq, df, lower.tail = FALSE)))
}

logistic_loglik <- function(X, y) function(b) {
  eta <- drop(X %*% b)
  p <- plogis(eta)
  sum(y * eta) - sum(ifelse(eta > 0, eta + log1p(exp(-eta)), log1p(exp(eta)))) +
    0.5 * as.numeric(determinant(crossprod(X * sqrt(p * (1 - p))))$modulus)
}

cox_loglik <- function(X, time, event) function(b) {
  total <- 0
  information <- matrix(0, ncol(X), ncol(X))
  for (i in which(event == 1)) {
    risk <- X[time >= time[i], , drop = FALSE]
    w <- exp(drop(risk %*% b))
    mean <- colSums(w * risk) / sum(w)
    total <- total + sum(X[i, ] * b) - log(sum(w))
    information <- information + crossprod(risk * sqrt(w / sum(w))) - tcrossprod(mean)
  }
  total + 0.5 * as.numeric(determinant(information)$modulus)
}

greatest <- function(f, start) {
  if (length(start) == 0) return(list(par = numeric(0), value = f(numeric(0))))
  if (length(start) == 1) {
    got <- optimize(f, c(start - 30, start + 30), maximum = TRUE, tol = 1e-12)
    return(list(par = got$maximum, value = got$objective))
  }
  got <- optim(start, f, method = "BFGS", control = list(fnscale = -1, reltol = 1e-15, maxit = 10000))
  got <- optim(got$par, f, method = "Nelder-Mead", control = list(fnscale = -1, reltol = 1e-16, maxit = 50000))
  optim(got$par, f, method = "BFGS", control = list(fnscale = -1, reltol = 1e-16, maxit = 10000))
}

profile_of <- function(f, best, j, b) greatest(function(r) f(append(r, b, after = j - 1)), best$par[-j])$value

firth <- function(f, start, effects) {
  best <- greatest(f, start)
  limit <- qchisq(0.95, 1)
  each <- lapply(effects, function(j) {
    short <- function(b) 2 * (best$value - profile_of(f, best, j, b)) - limit
    lower <- best$par[j] - 0.5
    while (short(lower) < 0) lower <- lower - 1
    upper <- best$par[j] + 0.5
    while (short(upper) < 0) upper <- upper + 1
    chi <- 2 * (best$value - profile_of(f, best, j, 0))
    c(p = pchisq(chi, 1, lower.tail = FALSE), lower = uniroot(short, c(lower, best$par[j]), tol = 1e-9)$root,
      upper = uniroot(short, c(best$par[j], upper), tol = 1e-9)$root)
  })
  list(coef = best$par, p = sapply(each, `[[`, "p"), lower = sapply(each, `[[`, "lower"), upper = sapply(each, `[[`, "upper"))
}

firth_logistic <- function(name, X, y) {
  full <- cbind(1, as.matrix(X))
  fit <- glm(y ~ as.matrix(X), family = binomial(), method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 10000)
  mine <- firth(logistic_loglik(full, y), rep(0, ncol(full)), 2:ncol(full))
  if (max(abs(mine$coef - coef(fit))) > 1e-6) stop("own maximum and brglm2 differ: ", name)
  list(name = unbox(name), X = unname(as.matrix(X)), y = y, coef = unname(coef(fit))[-1], p = mine$p, lower = mine$lower,
       upper = mine$upper)
}

firth_cox <- function(name, X, time, event) {
  X <- unname(as.matrix(X))
  mine <- firth(cox_loglik(X, time, event), rep(0, ncol(X)), seq_len(ncol(X)))
  list(name = unbox(name), X = X, time = time, event = event, coef = mine$coef, p = mine$p, lower = mine$lower, upper = mine$upper)
}

cox <- function(name, X, time, event) {
  X <- unname(as.matrix(X))
  list(name = unbox(name), X = X, time = time, event = event, coef = unname(coef(coxph(Surv(time, event) ~ X, ties = "breslow"))))
}

incidence <- function(name, time, status) {
  got <- timepoints(cuminc(time, status), DAYS)
  list(name = unbox(name), time = time, status = status, days = DAYS, event = unname(got$est["1 1", ]),
       competing = unname(got$est["1 2", ]))
}

# Where nobody is left the last values stay: survfit says so, cmprsk's timepoints gives nothing beyond the last time.
incidence_to_the_end <- function(name, time, status) {
  days <- c(DAYS, 3000)
  fit <- survfit(Surv(time, factor(status, 0:2, c("censored", "event", "competing"))) ~ 1, conf.type = "log-log")
  at <- summary(fit, times = days, extend = TRUE)
  column <- which(fit$states == "event")
  list(name = unbox(name), time = time, status = status, days = days, event = at$pstate[, column], lower = at$lower[, column],
       upper = at$upper[, column])
}

exact <- function(x, n, level) {
  ci <- binom.test(x, n, conf.level = level)$conf.int
  list(x = unbox(x), n = unbox(n), level = unbox(level), lower = unbox(ci[1]), upper = unbox(ci[2]))
}

set.seed(20210121)
n <- 44
cohort <- data.frame(rare = as.numeric(runif(n) < 0.15), common = as.numeric(runif(n) < 0.6), age = round(rnorm(n, 58, 10)))
response <- as.numeric(runif(n) < plogis(-1 + 1.2 * cohort$common))
time <- ceiling(rexp(n, 0.01 * exp(-0.6 * cohort$common)) / 7) * 7
event <- as.numeric(runif(n) < 0.75)
separated <- data.frame(x = rep(c(1, 0), c(8, 36)))
monotone <- data.frame(x = rep(c(1, 0), c(6, 14)))
outlying <- c(0.38, 2.4, 10.84, 2.1, 0.99, 1.11)
pbc100 <- pbc[1:100, ]
mgus <- mgus2[1:200, ]
mgus_time <- ifelse(mgus$pstat == 1, mgus$ptime, mgus$futime) * 30.4375
mgus_status <- ifelse(mgus$pstat == 1, 1, 2 * mgus$death)

golden <- list(
  versions = list(R = unbox(R.version.string), survival = unbox(as.character(packageVersion("survival"))),
                  brglm2 = unbox(as.character(packageVersion("brglm2"))), cmprsk = unbox(as.character(packageVersion("cmprsk")))),
  kaplan_meier = list(
    kaplan_meier("lung", lung$time, lung$status - 1), kaplan_meier("veteran", veteran$time, veteran$status),
    kaplan_meier("ovarian", ovarian$futime, ovarian$fustat), kaplan_meier("pbc", pbc100$time, as.numeric(pbc100$status == 2)),
    kaplan_meier("ties", c(5, 5, 8, 8, 8, 400), c(1, 0, 1, 1, 0, 0)), kaplan_meier("not reached", c(3, 50, 60, 70, 800), c(1, 0, 0, 0, 0)),
    kaplan_meier("all censored", c(3, 50, 60), c(0, 0, 0)), kaplan_meier("one patient", 200, 1),
    kaplan_meier("flat at one half", c(10, 20, 30, 40), c(1, 1, 0, 1)), kaplan_meier("time zero", c(0, 0, 30, 40, 60), c(0, 1, 1, 0, 1))),
  log_rank = list(
    log_rank("lung by sex", lung$time, lung$status - 1, lung$sex), log_rank("veteran by treatment", veteran$time, veteran$status, veteran$trt),
    log_rank("veteran by cell type", veteran$time, veteran$status, veteran$celltype),
    log_rank("six patients", c(1, 2, 2, 4, 5, 6), c(1, 1, 0, 1, 1, 0), c("a", "a", "b", "a", "b", "b")),
    log_rank("a group censored before the first event", c(5, 8, 3, 9, 1, 2), c(1, 1, 1, 1, 0, 0), c("a", "a", "b", "b", "c", "c"))),
  firth_logistic = list(
    firth_logistic("separated", separated, rep(c(1, 0), c(8 + 9, 27))), firth_logistic("cohort of 44", cohort, response),
    firth_logistic("first 14", cohort[1:14, 2:3], response[1:14]),
    firth_logistic("infert", infert[, c("spontaneous", "induced")], infert$case),
    firth_logistic("six patients, an outlying value", data.frame(marker = outlying), c(1, 0, 0, 0, 0, 1))),
  firth_cox = list(
    firth_cox("three patients", data.frame(x = c(1, 1, 0)), c(1, 2, 3), c(1, 1, 1)),
    firth_cox("monotone", monotone, c(1:6, seq(10, 140, 10)), rep(c(1, 0), c(6, 14))),
    firth_cox("ovarian", data.frame(rx = ovarian$rx, age = ovarian$age), ovarian$futime, ovarian$fustat),
    firth_cox("cohort of 44, tied", cohort[, 1:2], time, event),
    firth_cox("six patients, an outlying value", data.frame(marker = outlying), c(5, 9, 30, 12, 3, 20), c(1, 0, 1, 1, 1, 0))),
  cox = list(cox("lung", lung[, c("age", "sex")], lung$time, lung$status - 1),
             cox("veteran", veteran[, c("trt", "karno")], veteran$time, veteran$status)),
  cumulative_incidence = list(incidence("mgus2", mgus_time, mgus_status)),
  incidence_to_the_end = list(incidence_to_the_end("six patients, nobody left", c(10, 200, 300, 400, 500, 600), c(1, 2, 1, 1, 2, 1))),
  clopper_pearson = lapply(list(c(0, 9), c(3, 9), c(9, 9), c(17, 44), c(36, 44), c(1, 1), c(0, 1), c(500, 1000)),
    function(v) list(exact(v[1], v[2], 0.95), exact(v[1], v[2], 0.9))) |> unlist(recursive = FALSE)
)
writeLines(toJSON(golden, digits = NA, null = "null", na = "null"), "tests/golden/golden.json")
