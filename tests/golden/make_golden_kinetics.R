# Makes kinetics.json: data of each case beside R's numbers, so that the tests need no R.
# Run from the repository's root: Rscript tests/golden/make_golden_kinetics.R
# Random-intercept models: nlme's REML. CR2 covariance and Satterthwaite degrees of freedom come from the function below, written
# from Pustejovsky and Tipton (2018) with whole matrices; the script stops if clubSandwich differs.
# Weibull models of interval-censored times: survreg, its profile by offsets. Cumulative incidence of exact times: cmprsk.
suppressPackageStartupMessages({library(nlme); library(clubSandwich); library(survival); library(cmprsk); library(jsonlite)})
near <- function(a, b, what) if (max(abs(a - b) / pmax(1, abs(b))) > 1e-6) stop("they differ: ", what)

power_of <- function(S, p) {
  e <- eigen(S, symmetric = TRUE)
  kept <- e$values > 1e-10 * max(e$values)
  e$vectors[, kept, drop = FALSE] %*% (e$values[kept]^p * t(e$vectors[, kept, drop = FALSE]))
}

# Phi, H, residual maker, A of every patient and the vectors p, all of n rows.
cr2 <- function(y, X, id, phi) {
  n <- length(y)
  W <- solve(phi)
  M <- solve(t(X) %*% W %*% X)
  b <- M %*% t(X) %*% W %*% y
  keep <- diag(n) - X %*% M %*% t(X) %*% W
  total <- 0
  parts <- list()
  for (one in unique(id)) {
    mine <- which(id == one)
    part <- phi[mine, mine, drop = FALSE]
    D <- chol(part)
    B <- D %*% keep[mine, , drop = FALSE] %*% phi %*% t(keep[mine, , drop = FALSE]) %*% t(D)
    A <- t(D) %*% power_of(B, -1 / 2) %*% D
    score <- M %*% t(X[mine, , drop = FALSE]) %*% solve(part) %*% A
    u <- score %*% (y - X %*% b)[mine]
    total <- total + u %*% t(u)
    parts[[length(parts) + 1]] <- score %*% keep[mine, , drop = FALSE]
  }
  df <- sapply(seq_len(ncol(X)), function(j) {
    p <- sapply(parts, function(s) s[j, ])
    g <- t(p) %*% phi %*% p
    sum(diag(g))^2 / sum(g^2)
  })
  list(coef = drop(b), vcov = total, df = df)
}

mixed <- function(name, y, X, id) {
  X <- unname(as.matrix(X))
  data <- data.frame(y = y, id = factor(id), X = I(X))
  control <- lmeControl(opt = "nlminb", tolerance = 1e-12, msTol = 1e-14, msMaxIter = 500, niterEM = 200)
  fit <- lme(y ~ X, random = ~ 1 | id, data = data, method = "REML", control = control)
  sds <- c(sqrt(getVarCov(fit)[1, 1]), fit$sigma)
  phi <- sds[1]^2 * outer(id, id, "==") + sds[2]^2 * diag(length(y))
  own <- cr2(y, cbind(1, X), id, phi)
  near(own$coef, fixef(fit), paste(name, "coefficients"))
  theirs <- coef_test(fit, vcov = "CR2", test = "Satterthwaite")
  near(sqrt(diag(own$vcov)), theirs$SE, paste(name, "standard errors"))
  near(own$df, theirs$df_Satt, paste(name, "degrees of freedom"))
  limits <- conf_int(fit, vcov = "CR2")
  list(name = unbox(name), y = y, X = X, id = as.character(id), coef = unname(own$coef), patient_sd = unbox(sds[1]),
       residual_sd = unbox(sds[2]), vcov = own$vcov, df = own$df, p = theirs$p_Satt, lower = limits$CI_L, upper = limits$CI_U)
}

weibull <- function(name, left, right, X) {
  X <- unname(as.matrix(X))
  times <- Surv(ifelse(left == 0, NA, left), right, type = "interval2")
  run <- function(Z, offset) {
    control <- survreg.control(maxiter = 200, rel.tolerance = 1e-13, outer.max = 50)
    if (ncol(Z) == 0) survreg(times ~ 1 + offset(offset), dist = "weibull", control = control) else
      survreg(times ~ Z + offset(offset), dist = "weibull", control = control)
  }
  best <- run(X, rep(0, length(left)))
  profile <- function(j, b) run(X[, -j, drop = FALSE], b * X[, j])$loglik[2]
  each <- sapply(seq_len(ncol(X)), function(j) {
    b <- coef(best)[j + 1]
    se <- sqrt(diag(vcov(best)))[j + 1]
    short <- function(at) 2 * (best$loglik[2] - profile(j, at)) - qchisq(0.95, 1)
    c(p = pchisq(2 * (best$loglik[2] - profile(j, 0)), 1, lower.tail = FALSE),
      lower = uniroot(short, c(b - 3 * se, b - se), tol = 1e-10, extendInt = "downX")$root,
      upper = uniroot(short, c(b + se, b + 3 * se), tol = 1e-10, extendInt = "upX")$root)
  })
  list(name = unbox(name), left = left, right = right, X = X, intercept = unbox(unname(coef(best)[1])),
       coef = unname(coef(best)[-1]), scale = unbox(best$scale), loglik = unbox(best$loglik[2]), p = unname(each["p", ]),
       lower = unname(each["lower", ]), upper = unname(each["upper", ]))
}

competing <- function(name, time, status, days) {
  got <- timepoints(cuminc(time, status), days)$est
  list(name = unbox(name), time = time, status = status, days = days, first = unname(got["1 1", ]), second = unname(got["1 2", ]))
}

# 26 patients with one to four infusions.
set.seed(20240607)
id <- rep(1:26, times = sample(1:4, 26, replace = TRUE, prob = c(0.3, 0.4, 0.2, 0.1)))
n <- length(id)
cohort <- data.frame(id, second = as.numeric(duplicated(id)), dose = round(rnorm(n), 2), bulky = as.numeric(id %% 3 == 0))
cohort$y <- round(8 - 0.9 * cohort$second + 0.5 * cohort$dose - 0.4 * cohort$bulky + rnorm(26, 0, 0.8)[id] + rnorm(n, 0, 0.6), 3)

# Counts on set days: the cells are lost between two of them, before the first, or not by the last that was taken.
set.seed(20240912)
n <- 48
persisting <- data.frame(second = as.numeric(runif(n) < 0.4), dose = round(rnorm(n), 2))
truth <- exp(4 - 0.8 * persisting$second + 0.4 * persisting$dose + 0.9 * log(rexp(n)))
days <- c(0, 7, 14, 28, 60, 90, 180, 365)
last <- sample(4:8, n, replace = TRUE)
at <- findInterval(truth, days)
persisting$left <- days[pmin(at, last)]
persisting$right <- ifelse(at < last, days[pmin(at + 1, length(days))], NA)
exact <- data.frame(time = ceiling(rexp(30, 1 / 40)), status = sample(0:2, 30, replace = TRUE, prob = c(0.25, 0.45, 0.3)))
few <- persisting[1:14, ]
children <- as.data.frame(Orthodont)

golden <- list(
  versions = list(R = unbox(R.version.string), nlme = unbox(as.character(packageVersion("nlme"))),
                  clubSandwich = unbox(as.character(packageVersion("clubSandwich"))),
                  survival = unbox(as.character(packageVersion("survival"))),
                  cmprsk = unbox(as.character(packageVersion("cmprsk")))),
  mixed = list(
    mixed("cohort of 26, one", cohort$y, cohort["second"], cohort$id),
    mixed("cohort of 26, three", cohort$y, cohort[c("second", "dose", "bulky")], cohort$id),
    mixed("children, balanced", children$distance,
          data.frame(age = children$age, girl = as.numeric(children$Sex == "Female")), as.character(children$Subject)),
    mixed("eight patients, few with yes", cohort$y[cohort$id <= 8], cohort[cohort$id <= 8, c("dose", "bulky")], cohort$id[cohort$id <= 8])),
  weibull = list(
    weibull("48 patients, two", persisting$left, persisting$right, persisting[c("second", "dose")]),
    weibull("48 patients, one", persisting$left, persisting$right, persisting["second"]),
    weibull("14 patients", few$left, few$right, few["second"])),
  competing = list(
    competing("30 patients, tied", exact$time, exact$status, c(7, 14, 28, 60)))
)
numbers <- rapply(golden, as.numeric, classes = c("numeric", "integer"), how = "unlist")
# A right end may be missing: not lost.
if (!all(is.finite(numbers[!grepl("\\.right[0-9]*$", names(numbers))]))) stop("a number is missing or not finite")
writeLines(toJSON(golden, digits = NA, na = "null"), "tests/golden/kinetics.json")
