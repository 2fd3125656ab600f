# Makes centres.json: models that allow for centres. Run from the repository's root: Rscript tests/golden/make_golden_centres.R
# Random intercepts: lme4's glmer with 25 nodes of adaptive quadrature (maximum likelihood), and the softly penalised
# likelihood (Sterzinger and Kosmidis 2023) with each centre's integral by stats::integrate.
# CR2 errors and degrees of freedom: clubSandwich. Frailty: survival's coxph. Logistic models with an intercept for each
# centre: brglm2 (AS_mean). Stratified Firth Cox models and the jackknife over centres: coxph without a step gives
# log-likelihood and information at any coefficients; the penalty and the maxima are taken from those.
suppressPackageStartupMessages({library(survival); library(clubSandwich); library(brglm2); library(lme4); library(jsonlite)})

make <- function(n, centres, seed) {
  set.seed(seed)
  g <- rep(seq_len(centres), length.out = n)
  x <- rbinom(n, 1, 0.2 + 0.5 * (g %% 2)); z <- round(rnorm(n), 2); w <- rnorm(centres, 0, 0.8)[g]
  time <- ceiling(100 * rexp(n, exp(0.4 * x + w)))
  data.frame(g = g, x = x, z = z, time = time, event = rbinom(n, 1, 0.8), y = rbinom(n, 1, plogis(0.3 * x - 0.4 * z + w)))
}

robust <- function(fit, d) {
  t <- coef_test(fit, vcov = vcovCR(fit, cluster = d$g, type = "CR2"), test = "Satterthwaite")
  list(coef = unname(coef(fit)), error = t$SE, df = if (is.null(t$df_Satt)) t$df else t$df_Satt)
}

firth <- function(form, d, b = NULL) {
  k <- length(attr(terms(form), "term.labels")) - any(grepl("strata", attr(terms(form), "term.labels")))
  value <- function(b) {
    fit <- coxph(form, data = d, ties = "breslow", init = b, control = coxph.control(iter.max = 0))
    fit$loglik[1] - 0.5 * as.numeric(determinant(fit$var)$modulus)
  }
  if (!is.null(b)) return(value(b))
  o <- optim(rep(0, k), function(b) -value(b), method = "BFGS", control = list(reltol = 1e-15))
  o <- optim(o$par, function(b) -value(b), method = "BFGS", control = list(reltol = 1e-16, ndeps = rep(1e-4, k)))
  list(coef = o$par, value = -o$value)
}

marginal <- function(p, X, d) sum(sapply(split(seq_len(nrow(d)), d$g), function(i) {
  eta <- drop(X[i, , drop = FALSE] %*% p[seq_len(ncol(X))]); s <- exp(p[ncol(X) + 1]); y <- d$y[i]
  h <- function(z) sapply(z, function(z) sum(y * (eta + s * z) - log1p(exp(eta + s * z))) + dnorm(z, log = TRUE))
  top <- optimize(h, c(-8, 8), maximum = TRUE, tol = 1e-10)
  top$objective + log(integrate(function(z) exp(h(z) - top$objective), -12, 12, rel.tol = 1e-12, subdivisions = 1000)$value)
}))

intercept <- function(d) {
  ml <- glmer(y ~ x + z + (1 | g), family = binomial, data = d, nAGQ = 25,
              control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10), calc.derivs = FALSE))
  X <- cbind(1, d$x, d$z); const <- 2 * sqrt(ncol(X) / nrow(X))
  value <- function(p) {
    w <- dlogis(drop(X %*% p[1:3])); u <- p[4]
    huber <- if (abs(u) > 1) 0.5 - abs(u) else -u^2 / 2
    marginal(p, X, d) + const * (as.numeric(determinant(crossprod(X * sqrt(w)))$modulus) / 2 + huber)
  }
  o <- list(par = c(fixef(ml), -0.5))
  for (i in 1:3) o <- optim(o$par, function(p) -value(p), method = "BFGS", control = list(reltol = 1e-15, ndeps = rep(1e-5, 4), maxit = 500))
  H <- optimHess(o$par, function(p) -value(p), control = list(ndeps = rep(1e-4, 4)))
  list(coef = unname(fixef(ml)[2:3]), deviation = unname(attr(VarCorr(ml)$g, "stddev")), log_likelihood = as.numeric(logLik(ml)),
       penalised = list(coef = unname(o$par[2:3]), deviation = unname(exp(o$par[4])), error = sqrt(diag(solve(H)))[2:3]))
}

one <- function(name, d) {
  strata <- firth(Surv(time, event) ~ x + z + strata(g), d)
  null <- optimize(function(b) firth(Surv(time, event) ~ x + z + strata(g), d, c(0, b)), c(-5, 5), maximum = TRUE, tol = 1e-10)
  without <- sapply(sort(unique(d$g)), function(g) firth(Surv(time, event) ~ x + z, d[d$g != g, ])$coef)
  all <- firth(Surv(time, event) ~ x + z, d)$coef
  m <- ncol(without)
  fr <- coxph(Surv(time, event) ~ x + z + frailty(g, distribution = "gaussian", sparse = FALSE, eps = 1e-8), data = d, ties = "breslow",
              control = coxph.control(outer.max = 100, eps = 1e-10, toler.chol = 1e-12, iter.max = 100))
  fixed <- coxph(Surv(time, event) ~ x + z + frailty(g, distribution = "gaussian", sparse = FALSE, theta = 0.5), data = d, ties = "breslow",
                 control = coxph.control(eps = 1e-10, toler.chol = 1e-12, iter.max = 100))
  own <- glm(y ~ x + z + factor(g), family = binomial, data = d, method = "brglmFit", type = "AS_mean", epsilon = 1e-12)
  list(name = name, data = as.list(d),
       logistic = robust(glm(y ~ x + z, family = binomial, data = d, control = glm.control(epsilon = 1e-14)), d),
       linear = robust(lm(z ~ x + y, data = d), d),
       jackknife = list(coef = all, error = sqrt((m - 1) / m * rowSums((without - all)^2))),
       strata = list(coef = strata$coef, p = pchisq(2 * (strata$value - null$objective), 1, lower.tail = FALSE)),
       intercepts = unname(coef(own)[2:3]), random = intercept(d),
       frailty = list(coef = unname(coef(fr))[1:2], error = sqrt(diag(fr$var)[seq_len(2)]), variance = fr$history[[1]]$theta),
       fixed = list(coef = unname(coef(fixed))[1:2], error = sqrt(diag(fixed$var)[seq_len(2)])))
}

golden <- list(
  made_with = paste0(R.version.string, ", survival ", packageVersion("survival"), ", clubSandwich ",
                     packageVersion("clubSandwich"), ", brglm2 ", packageVersion("brglm2"), ", lme4 ", packageVersion("lme4")),
  centres = list(one("44 patients, 5 centres", make(44, 5, 2)), one("100 patients, 12 centres", make(100, 12, 3))))
writeLines(toJSON(golden, digits = NA, na = "null", auto_unbox = TRUE), "tests/golden/centres.json")
