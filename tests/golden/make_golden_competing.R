# Makes competing.json: state occupation probabilities and transitions of survival's multi-state survfit, and Fine and
# Gray's model with Firth's penalty. Run from the repository's root: Rscript tests/golden/make_golden_competing.R
# The penalised model is independent of this program: survival's finegray makes the weighted data, coxph without a step
# gives its log-likelihood and information at any coefficients, and the penalty, the maxima and the profiles are taken
# from those by uniroot and optim. Weights follow cmprsk's crr in the program; finegray's are the same where no censoring
# ties with an event.
suppressPackageStartupMessages({library(survival); library(jsonlite)})

states_case <- function(name, n, seed, censoring) {
  set.seed(seed)
  rows <- NULL
  for (i in seq_len(n)) {
    state <- 0; start <- -1; end <- ceil_day(rexp(1, censoring))
    repeat {
      targets <- list("0" = 1:5, "1" = 2:5, "2" = 3:5, "3" = c(2, 4, 5), "4" = c(3, 5))[[as.character(state)]]
      wait <- ceil_day(rexp(1, 1 / c(60, 200, 80, 250, 150)[state + 1]))
      stop <- max(start, 0) + wait
      if (stop > end) { if (end > start) rows <- rbind(rows, c(i, state, -1, start, end)); break }
      target <- if (length(targets) == 1) targets else sample(targets, 1)
      rows <- rbind(rows, c(i, state, target, start, stop))
      if (target == 5) break
      state <- target; start <- stop
    }
  }
  d <- setNames(as.data.frame(rows), c("patient", "origin", "target", "start", "stop"))
  event <- factor(d$target, levels = c(-1, 0:5), labels = c("censored", paste0("s", 0:5)))
  fit <- survfit(Surv(start, stop, event) ~ 1, data = d, id = patient, istate = paste0("s", origin), conf.type = "log-log")
  order <- match(paste0("s", 0:5), fit$states)
  at <- fit$time %in% d$stop[d$target >= 0]
  pick <- function(m) unname(m[at, order, drop = FALSE])
  counts <- table(factor(d$origin, 0:5), factor(d$target, 0:5))
  list(name = name, rows = as.list(d), time = fit$time[at], probability = pick(fit$pstate), error = pick(fit$std.err),
       lower = pick(fit$lower), upper = pick(fit$upper), at_risk = pick(fit$n.risk), counts = unclass(unname(as.matrix(counts))))
}
ceil_day <- function(x) ceiling(x)

penalised <- function(name, d, columns) {
  d$id <- seq_len(nrow(d))
  d$what <- factor(d$status, 0:2, c("censored", "event", "competing"))
  fg <- finegray(Surv(time, what) ~ ., data = d[, c("time", "what", columns, "id")], etype = "event", timefix = FALSE)
  form <- as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", paste(columns, collapse = " + ")))
  value <- function(b) {
    fit <- coxph(form, data = fg, weights = fg$fgwt, ties = "breslow", init = b, robust = FALSE,
                 control = coxph.control(iter.max = 0, timefix = FALSE))
    fit$loglik[1] - 0.5 * as.numeric(determinant(fit$var)$modulus)
  }
  k <- length(columns)
  best <- function(held = NULL, at = 0) {
    free <- setdiff(seq_len(k), held)
    full <- function(x) { b <- numeric(k); b[free] <- x; b[held] <- at; b }
    if (!length(free)) return(list(b = full(numeric(0)), value = value(full(numeric(0)))))
    if (length(free) == 1) {
      o <- optimize(function(x) value(full(x)), c(-6, 6), maximum = TRUE, tol = 1e-10)
      return(list(b = full(o$maximum), value = o$objective))
    }
    o <- optim(numeric(length(free)), function(x) -value(full(x)), method = "BFGS", control = list(reltol = 1e-15, maxit = 500))
    o <- optim(o$par, function(x) -value(full(x)), method = "BFGS", control = list(reltol = 1e-16, maxit = 500))
    list(b = full(o$par), value = -o$value)
  }
  top <- best()
  q <- qchisq(0.95, 1)
  rows <- lapply(seq_len(k), function(j) {
    fall <- function(x) 2 * (top$value - best(j, x)$value) - q
    list(coef = top$b[j], lower = uniroot(fall, c(top$b[j] - 6, top$b[j]), tol = 1e-9)$root,
         upper = uniroot(fall, c(top$b[j], top$b[j] + 6), tol = 1e-9)$root,
         p = pchisq(2 * (top$value - best(j, 0)$value), 1, lower.tail = FALSE))
  })
  list(name = name, X = unname(lapply(columns, function(c) as.numeric(d[[c]]))), time = d$time,
       event = as.numeric(d$status == 1), competing = as.numeric(d$status == 2), terms = rows)
}

m <- mgus2[1:150, ]
m$time <- with(m, ifelse(pstat == 1, ptime, futime)) + 1
m$status <- with(m, ifelse(pstat == 1, 1, 2 * death))
m$time <- m$time + ifelse(m$status == 0, 0.5, 0)  # where a censoring ties with an event, finegray and crr differ
m$age <- (m$age - 70) / 10
m$male <- as.numeric(m$sex == "M")
set.seed(4)
small <- data.frame(time = sample(200, 40), status = sample(0:2, 40, TRUE, c(0.25, 0.45, 0.3)), x = rep(c(0, 0, 1, 0, 1), 8),
                    z = round(rnorm(40), 2))
apart <- small
apart$status[apart$x == 1 & apart$status == 1] <- 2

golden <- list(
  made_with = paste0(R.version.string, ", survival ", packageVersion("survival")),
  states = list(states_case("40 patients, some censored", 40, 1, 1 / 400), states_case("12 patients, many censored", 12, 7, 1 / 100)),
  firth_fine_gray = list(penalised("two factors, 40 patients", small, c("x", "z")), penalised("one factor, 40 patients", small, "x"),
                         penalised("no event in a group", apart, "x"), penalised("mgus2, tied events", m, c("male", "age")))
)
writeLines(toJSON(golden, digits = NA, na = "null", auto_unbox = TRUE), "tests/golden/competing.json")
