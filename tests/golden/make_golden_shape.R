# Makes shape.json: tests of several coefficients of Firth models together, and restricted cubic splines with profile
# intervals, of data of R's own packages. Run from the repository's root: Rscript tests/golden/make_golden_shape.R
# Firth's penalised likelihood is written out from the papers (Heinze and Schemper 2002, 2001; Breslow's ties) and
# maximised by optim; logistic fits are checked against brglm2, the spline's columns against natural cubic splines.
suppressPackageStartupMessages({library(survival); library(brglm2)})
number <- function(x) ifelse(is.finite(x), sprintf("%.15g", x), "null")
vector <- function(x) paste0("[", paste(number(as.numeric(x)), collapse = ", "), "]")
matrix_of <- function(X) paste0("[", paste(apply(X, 1, vector), collapse = ", "), "]")
record <- function(...) { parts <- list(...)
  paste0("{", paste(sprintf('"%s": %s', names(parts), unlist(parts)), collapse = ", "), "}") }
quoted <- function(x) sprintf('"%s"', x)

logistic <- function(X, y) { D <- cbind(X, 1); function(b) {
  eta <- drop(D %*% b); p <- plogis(eta)
  sum(y * eta - log1p(exp(eta))) + 0.5 * as.numeric(determinant(crossprod(D * sqrt(p * (1 - p))))$modulus) } }
cox <- function(X, y, time) function(b) {
  total <- 0; information <- matrix(0, ncol(X), ncol(X))
  for (i in which(y == 1)) {
    risk <- X[time >= time[i], , drop = FALSE]; w <- exp(drop(risk %*% b))
    total <- total + sum(X[i, ] * b) - log(sum(w)); w <- w / sum(w)
    information <- information + crossprod(sweep(risk, 2, colSums(w * risk)) * sqrt(w)) }
  total + 0.5 * as.numeric(determinant(information)$modulus) }
greatest <- function(f, k, free) {
  g <- function(b) { full <- numeric(k); full[free] <- b; f(full) }
  got <- optim(numeric(length(free)), g, method = "BFGS", control = list(fnscale = -1, reltol = 1e-15, maxit = 5000))
  got <- optim(got$par, g, method = "BFGS", control = list(fnscale = -1, reltol = 1e-16, maxit = 5000))
  list(par = got$par, value = got$value) }

joint <- function(name, X, y, time = NULL, tested) {
  X <- unname(as.matrix(X)); Z <- scale(X)
  f <- if (is.null(time)) logistic(Z, y) else cox(Z, y, time)
  k <- ncol(X) + is.null(time)
  full <- greatest(f, k, seq_len(k)); null <- greatest(f, k, setdiff(seq_len(k), tested))
  coef <- full$par[seq_len(ncol(X))] / attr(Z, "scaled:scale")
  if (is.null(time)) {
    other <- coef(glm(y ~ X, family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 500))[-1]
    if (max(abs(other - coef)) > 1e-4) stop("not as brglm2: ", name) }
  statistic <- 2 * (full$value - null$value)
  record(name = quoted(name), X = matrix_of(X), event = vector(y), time = if (is.null(time)) "null" else vector(time),
         columns = vector(tested - 1), coef = vector(coef), statistic = number(statistic),
         p = number(pchisq(statistic, length(tested), lower.tail = FALSE))) }

spline <- function(x, at) { t <- at; cube <- function(u) pmax(u, 0)^3
  s <- cube(x - t[1]) - cube(x - t[2]) * (t[3] - t[1]) / (t[3] - t[2]) + cube(x - t[3]) * (t[2] - t[1]) / (t[3] - t[2])
  cbind(x, s / (t[3] - t[1])^2) }
# A point's profile limits: the contrast held at a value, the rest maximised.
curve_case <- function(name, x, y, time = NULL, values) {
  at <- unname(quantile(x, c(0.1, 0.5, 0.9))); S <- spline(x, at); reference <- at[2]
  # the same space as natural cubic splines of these knots
  fitted_by <- splines::ns(x, knots = at[2], Boundary.knots = at[c(1, 3)])
  if (max(abs(lm.fit(cbind(1, fitted_by), S[, 2])$residuals)) > 1e-8) stop("no natural spline: ", name)
  rows <- sapply(values, function(v) {
    d <- drop(spline(v, at) - spline(reference, at))
    X <- cbind(S[, 1] / d[1], S[, 2] - S[, 1] * d[2] / d[1]); Z <- scale(X)
    f <- if (is.null(time)) logistic(Z, y) else cox(Z, y, time)
    k <- 2 + is.null(time); full <- greatest(f, k, seq_len(k)); unit <- attr(Z, "scaled:scale")[1]
    fall <- function(b) { g <- function(rest) f(c(b, rest))
      got <- if (k == 2) optimize(g, c(-20, 20), maximum = TRUE, tol = 1e-10)$objective else {
        a <- optim(full$par[-1], g, control = list(fnscale = -1, reltol = 1e-15, maxit = 5000))
        optim(a$par, g, method = "BFGS", control = list(fnscale = -1, reltol = 1e-15))$value }
      2 * (full$value - got) - qchisq(0.95, 1) }
    top <- full$par[1]
    low <- uniroot(fall, c(top - 8, top), tol = 1e-9)$root; high <- uniroot(fall, c(top, top + 8), tol = 1e-9)$root
    c(top, low, high) / unit })
  record(name = quoted(name), x = vector(x), event = vector(y), time = if (is.null(time)) "null" else vector(time),
         knots = vector(at), values = vector(values), log_ratio = vector(rows[1, ]), lower = vector(rows[2, ]),
         upper = vector(rows[3, ])) }

iv <- infert[seq(1, nrow(infert), 3), ]
joints <- c(
  joint("infert, education, three levels", model.matrix(~ education + spontaneous, iv)[, -1], iv$case, tested = 1:2),
  joint("mtcars, transmission by weight and displacement", with(mtcars, cbind(wt, disp)), mtcars$am, tested = 1:2),
  joint("veteran, cell type and prior therapy", model.matrix(~ celltype + karno, veteran)[, -1], veteran$status,
        veteran$time, tested = 1:3),
  joint("ovarian, treatment by residual disease", with(ovarian, cbind(rx - 1, resid.ds - 1, (rx - 1) * (resid.ds - 1))),
        ovarian$fustat, ovarian$futime, tested = 3),
  joint("aml and its maintenance times time", with(aml, cbind(x == "Maintained", seq_along(time) %% 3)), aml$status, aml$time,
        tested = 1:2))
infertile <- curve_case("infert, age", iv$age, iv$case, values = c(24, 28, 35, 40))
veterans <- curve_case("veteran, age", veteran$age[1:60], veteran$status[1:60], veteran$time[1:60], values = c(40, 55, 70))
versions <- quoted(sprintf("%s, survival %s, brglm2 %s", R.version.string, packageVersion("survival"), packageVersion("brglm2")))
writeLines(paste0('{"made_with": ', versions, ',\n"joint": [\n', paste(joints, collapse = ",\n"), '],\n"curve": [\n',
                  paste(c(infertile, veterans), collapse = ",\n"), "]}"), "tests/golden/shape.json")
