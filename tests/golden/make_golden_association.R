# Makes association.json: data of each case beside R's numbers, so that the tests need no R.
# Run from the repository's root: Rscript tests/golden/make_golden_association.R
# Firth models of entries and exits (risk set start < t <= stop, Breslow's ties) come from the functions below, written from
# the papers (Heinze and Schemper 2001; Heinze and Dunkler 2008) and independent of any Firth package; the script stops if
# their log likelihood or information at the maximum differs from coxph's there.
suppressPackageStartupMessages({library(survival); library(cmprsk); library(jsonlite)})
TIGHT <- coxph.control(eps = 1e-11, iter.max = 100)
matrix_of <- function(X) unname(as.matrix(X))

gray <- function(name, time, status, group) {
  got <- cuminc(time, status, group)$Tests
  # cuminc's own p, 1 - pchisq, loses digits where p is small.
  list(name = unbox(name), time = time, status = status, group = group, cause = as.numeric(rownames(got)),
       statistic = unname(got[, "stat"]), df = unname(got[, "df"]),
       p = pchisq(unname(got[, "stat"]), unname(got[, "df"]), lower.tail = FALSE))
}

gray_without <- function(name, time, status, group, without) {
  kept <- group != without
  got <- cuminc(time[kept], status[kept], group[kept])$Tests
  list(name = unbox(name), time = time, status = status, group = group, statistic = unbox(got[1, "stat"]), p = unbox(got[1, "pv"]))
}

fine_gray <- function(name, time, status, X) lapply(1:2, function(cause) {
  X <- matrix_of(X)
  # crr can stop no closer than about 1e-9; one more step of Newton's, then its numbers there.
  near <- crr(time, status, X, failcode = cause, gtol = 1e-8, maxiter = 100)
  fit <- crr(time, status, X, failcode = cause, gtol = 1e-8, init = near$coef + drop(near$invinf %*% near$score))
  if (!fit$converged) stop("crr did not converge: ", name)
  list(name = unbox(sprintf("%s, cause %d", name, cause)), time = time, status = status, X = X, failcode = unbox(cause),
       coef = unname(fit$coef), var = diag(fit$var), p = 2 * pnorm(-abs(unname(fit$coef)) / sqrt(diag(fit$var))))
})

# A level without an event: its effect runs away, the others' and their errors stay.
fine_gray_empty <- function(name, time, status, group) {
  X <- model.matrix(~group)[, -1]
  fit <- crr(time, status, X, gtol = 1e-10, maxiter = 200)
  kept <- which(abs(fit$coef) < 10)
  list(name = unbox(name), time = time, status = status, group = group, term = sub("group", "", colnames(X)[kept]),
       coef = unname(fit$coef[kept]), se = sqrt(diag(fit$var)[kept]))
}

zph <- function(name, X, time, event) {
  data <- data.frame(X, time = time, event = event)
  each <- expand.grid(transform = c("km", "identity", "log"), ties = c("breslow", "efron"), stringsAsFactors = FALSE)
  Map(function(transform, ties) {
    formula <- reformulate(names(X), "Surv(time, event)")
    fit <- do.call(coxph, list(formula, data = data, ties = ties, control = TIGHT, x = TRUE))
    got <- cox.zph(fit, transform = transform)$table
    list(name = unbox(paste(name, ties, transform, sep = ", ")), X = matrix_of(X), time = time, event = event, ties = unbox(ties),
         transform = unbox(transform), coef = unname(coef(fit)), term = rownames(got), chisq = unname(got[, "chisq"]),
         df = unname(got[, "df"]), p = unname(got[, "p"]))
  }, each$transform, each$ties) |> unname()
}

counting <- function(name, X, start, stop, event) {
  X <- matrix_of(X)
  fit <- coxph(Surv(start, stop, event) ~ X, ties = "breslow", control = TIGHT)
  list(name = unbox(name), X = X, start = start, stop = stop, event = event, coef = unname(coef(fit)), loglik = fit$loglik,
       vcov = unname(vcov(fit)))
}

# Breslow's partial log likelihood of b and its information, centred so that no digit is lost where a weight is near 0.
counting_parts <- function(X, start, stop, event, b) {
  total <- 0
  information <- matrix(0, ncol(X), ncol(X))
  for (i in which(event == 1)) {
    risk <- X[start < stop[i] & stop[i] <= stop, , drop = FALSE]
    eta <- drop(risk %*% b)
    w <- exp(eta - max(eta))
    total <- total + sum(X[i, ] * b) - max(eta) - log(sum(w))
    w <- w / sum(w)
    information <- information + crossprod(sweep(risk, 2, colSums(w * risk)) * sqrt(w))
  }
  list(loglik = total, information = information)
}

penalised <- function(X, start, stop, event) function(b) {
  got <- counting_parts(X, start, stop, event, b)
  got$loglik + 0.5 * as.numeric(determinant(got$information)$modulus)
}

# Newton's steps on central differences of the fourth order: the optimisers alone stop at about 1e-7.
polish <- function(f, b) {
  h <- 1e-3
  unit <- diag(length(b))
  slope <- function(at) apply(unit, 2, function(e)
    (8 * (f(at + h * e) - f(at - h * e)) - (f(at + 2 * h * e) - f(at - 2 * h * e))) / (12 * h))
  for (step in 1:6) {
    curve <- matrix(apply(unit, 2, function(e) (slope(b + h * e) - slope(b - h * e)) / (2 * h)), length(b))
    b <- b - solve(curve, slope(b))
  }
  b
}

greatest <- function(f, start) {
  if (length(start) == 0) return(list(par = numeric(0), value = f(numeric(0))))
  par <- if (length(start) == 1) optimize(f, start + c(-10, 10), maximum = TRUE, tol = 1e-10)$maximum else {
    got <- optim(start, f, control = list(fnscale = -1, reltol = 1e-13, maxit = 50000))$par
    optim(got, f, method = "BFGS", control = list(fnscale = -1, reltol = 1e-15, maxit = 10000))$par
  }
  polished <- polish(f, par)
  if (f(polished) < f(par) - 1e-9 || max(abs(polished - par)) > 1e-3) stop("no maximum found")
  list(par = polished, value = f(polished))
}

firth_counting <- function(name, X, start, stop, event) {
  X <- matrix_of(X)
  # Fitted on columns of standard deviation 1: the penalty then moves by a constant alone, and no step is too long.
  scale <- apply(X, 2, sd)
  Z <- sweep(X, 2, scale, "/")
  f <- penalised(Z, start, stop, event)
  best <- greatest(f, rep(0, ncol(X)))
  coef <- best$par / scale
  mine <- counting_parts(X, start, stop, event, coef)
  theirs <- coxph(Surv(start, stop, event) ~ X, ties = "breslow", init = coef, control = coxph.control(iter.max = 0))
  if (abs(mine$loglik - theirs$loglik[2]) > 1e-8 || max(abs(mine$information %*% theirs$var - diag(ncol(X)))) > 1e-7)
    stop("own likelihood and coxph differ: ", name)
  # A coefficient held at b keeps its column in the information.
  profile <- function(j, b) greatest(function(r) f(append(r, b, after = j - 1)), best$par[-j])$value
  each <- sapply(seq_len(ncol(X)), function(j) {
    short <- function(b) 2 * (best$value - profile(j, b)) - qchisq(0.95, 1)
    lower <- upper <- best$par[j]
    while (short(lower) < 0) lower <- lower - 0.5
    while (short(upper) < 0) upper <- upper + 0.5
    c(p = pchisq(2 * (best$value - profile(j, 0)), 1, lower.tail = FALSE),
      lower = uniroot(short, c(lower, lower + 0.5), tol = 1e-11)$root / scale[j],
      upper = uniroot(short, c(upper - 0.5, upper), tol = 1e-11)$root / scale[j])
  })
  list(name = unbox(name), X = X, start = start, stop = stop, event = event, coef = coef, p = each["p", ],
       lower = each["lower", ], upper = each["upper", ])
}

robust <- function(name, X, time, event, id = NULL) {
  X <- matrix_of(X)
  id <- if (is.null(id)) seq_along(time) else id
  fit <- if (anyDuplicated(id)) coxph(Surv(time, event) ~ X + cluster(id), ties = "breslow", control = TIGHT) else
    coxph(Surv(time, event) ~ X, ties = "breslow", robust = TRUE, control = TIGHT)
  list(name = unbox(name), X = X, time = time, event = event, id = id, coef = unname(coef(fit)), vcov = unname(fit$var),
       naive = unname(fit$naive.var))
}

weighted <- function(name, X, time, event, weights, at) {
  X <- matrix_of(X)
  fit <- coxph(Surv(time, event) ~ X, weights = weights, ties = "breslow", robust = TRUE, control = TIGHT)
  curve <- summary(survfit(Surv(time, event) ~ 1, weights = weights), times = at)
  list(name = unbox(name), X = X, time = time, event = event, weights = weights, coef = unname(coef(fit)), loglik = fit$loglik,
       vcov = unname(fit$var), naive = unname(fit$naive.var), at = at, survival = curve$surv)
}

p_adjust <- function(p) list(name = unbox(paste(length(p), "values")), p = p, adjusted = p.adjust(p, "BH"))

left_truncated_km <- function(name, start, stop, event) {
  fit <- survfit(Surv(start, stop, event) ~ 1)
  list(name = unbox(name), start = start, stop = stop, event = event, time = fit$time, survival = fit$surv, at_risk = fit$n.risk,
       events = fit$n.event)
}

mgus <- mgus2[complete.cases(mgus2[, c("age", "sex")]), ][1:150, ]
mgus <- with(mgus, data.frame(time = ifelse(pstat == 1, ptime, futime), status = ifelse(pstat == 1, 1, 2 * death),
                              sex = as.numeric(sex == "M"), age = age - 70, year = dxyr - 1980))

set.seed(20210121)
n <- 44
drawn <- data.frame(group = rep(0:2, length.out = n), x1 = as.numeric(runif(n) < 0.5), x2 = round(rnorm(n), 2),
                    x3 = as.numeric(runif(n) < 0.4))
drawn$time <- ceiling(rexp(n, 0.02 * exp(0.5 * drawn$x1 - 0.3 * drawn$group)) / 7) * 7
drawn$status <- sample(0:2, n, replace = TRUE, prob = c(0.32, 0.36, 0.32))
drawn$weights <- round(runif(n, 0.3, 3), 3)
drawn$event <- as.numeric(drawn$status > 0)

small <- data.frame(time = c(1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9, 9), status = c(1, 2, 0, 1, 2, 1, 1, 0, 2, 1, 2, 0),
                    group = c(0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1))

set.seed(20220304)
n <- 30
late <- data.frame(start = floor(pmax(0, runif(n, -15, 40))), x1 = as.numeric(runif(n) < 0.5), x2 = round(rnorm(n), 2))
late$stop <- late$start + ceiling(rexp(n, 0.02 * exp(0.7 * late$x1 + 0.3 * late$x2)))
late$event <- as.numeric(runif(n) < 0.7)

separated <- data.frame(start = c(0, 0, 0, 1, 0, 2, 3, 0, 4, 5), stop = c(2, 3, 4, 5, 9, 12, 8, 11, 12, 10),
                        event = c(1, 1, 1, 1, 0, 0, 0, 0, 0, 0), x1 = rep(c(1, 0), c(4, 6)), x2 = c(3, 1, 2, 5, 4, 2, 6, 1, 3, 5))

set.seed(20230506)
n <- 25
pair <- data.frame(id = rep(seq_len(n), each = 2), x1 = rep(as.numeric(runif(n) < 0.5), each = 2), x2 = round(rnorm(2 * n), 2))
pair$time <- ceiling(10 * rexp(2 * n, 0.1 * exp(0.6 * pair$x1 + 0.3 * pair$x2) * rep(rgamma(n, 2, 2), each = 2)))
pair$event <- as.numeric(runif(2 * n) < 0.75)

lung100 <- lung[complete.cases(lung[, c("age", "sex", "ph.ecog")]), ][1:100, ]
lung100 <- with(lung100, data.frame(time, event = status - 1, age, sex = sex - 1, ecog = ph.ecog))
veterans <- with(veteran, data.frame(time, event = status, trt = trt - 1, karno, age))
hearts <- with(heart, data.frame(start, stop, event, age = signif(age, 10), year = signif(year, 10), surgery,
                                 transplant = as.numeric(transplant == "1")))

empty <- list(time = c(18, 431, 87, 81, 63, 74, 45, 6, 51, 84, 269, 29, 41, 43, 34, 105, 6, 14, 184, 102, 25, 125, 554, 17),
              status = c(1, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0, 0, 2, 2, 1, 0, 0, 2, 1, 0, 0, 1, 2, 1),
              group = rep(c("ALL", "CLL", "NHL"), c(9, 5, 10)))

golden <- list(
  versions = list(R = unbox(R.version.string), survival = unbox(as.character(packageVersion("survival"))),
                  cmprsk = unbox(as.character(packageVersion("cmprsk")))),
  gray = list(
    gray("mgus2 by sex", mgus$time, mgus$status, mgus$sex), gray("three groups, tied", drawn$time, drawn$status, drawn$group),
    gray("twelve patients", small$time, small$status, small$group)),
  # cuminc gives nothing with a group of whom nobody is at risk; without it:
  gray_without = list(gray_without("c is censored before the first event", c(5, 8, 12, 3, 9, 10, 1, 2, 2, 14, 15),
    c(1, 2, 1, 1, 1, 2, 0, 0, 0, 1, 0), c("a", "a", "a", "b", "b", "b", "c", "c", "c", "a", "b"), "c")),
  fine_gray = c(
    fine_gray("mgus2, one", mgus$time, mgus$status, mgus["sex"]),
    fine_gray("mgus2, three", mgus$time, mgus$status, mgus[c("sex", "age", "year")]),
    fine_gray("cohort of 44, one", drawn$time, drawn$status, drawn["x1"]),
    fine_gray("cohort of 44, three", drawn$time, drawn$status, drawn[c("x1", "x2", "x3")]),
    fine_gray("twelve patients, one", small$time, small$status, small["group"])),
  fine_gray_empty = list(
    fine_gray_empty("24 patients, no event in CLL", empty$time, empty$status, empty$group)),
  zph = c(zph("lung", lung100[c("age", "sex", "ecog")], lung100$time, lung100$event),
          zph("lung, two terms", lung100[c("age", "sex")], lung100$time, lung100$event),
          zph("veteran", veterans[c("trt", "karno", "age")], veterans$time, veterans$event)),
  counting = list(
    counting("heart", hearts[c("age", "year", "surgery", "transplant")], hearts$start, hearts$stop, hearts$event),
    counting("delayed entry", late[c("x1", "x2")], late$start, late$stop, late$event)),
  firth_counting = list(
    firth_counting("delayed entry", late[c("x1", "x2")], late$start, late$stop, late$event),
    firth_counting("heart", hearts[c("age", "transplant")], hearts$start, hearts$stop, hearts$event),
    firth_counting("separated", separated[c("x1", "x2")], separated$start, separated$stop, separated$event),
    firth_counting("separated, one", separated["x1"], separated$start, separated$stop, separated$event)),
  robust = list(
    robust("veteran", veterans[c("trt", "karno")], veterans$time, veterans$event),
    robust("two rows a patient, each its own", pair[c("x1", "x2")], pair$time, pair$event),
    robust("two rows a patient", pair[c("x1", "x2")], pair$time, pair$event, pair$id)),
  weighted = list(
    weighted("cohort of 44, tied", drawn[c("x1", "x2")], drawn$time, drawn$event, drawn$weights, c(7, 14, 30, 60, 90))),
  p_adjust = list(p_adjust(c(0.04, 0.001, 0.2, 0.04, 0.8, 0.012, 0.2, 1, 0.0003, 0.04)), p_adjust(0.03),
                  p_adjust(c(0.5, 0.01, 0.02))),
  left_truncated_km = list(
    left_truncated_km("delayed entry", late$start, late$stop, late$event),
    left_truncated_km("heart", hearts$start, hearts$stop, hearts$event))
)
if (!all(is.finite(Filter(is.numeric, rapply(golden, as.numeric, classes = c("numeric", "integer"), how = "unlist")))))
  stop("a number is missing or not finite")
writeLines(toJSON(golden, digits = NA, na = "null"), "tests/golden/association.json")
