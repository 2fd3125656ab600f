# The same estimates as reinfuse's, from its patients.csv, by R survival and glm. Arguments: that file, where to write JSON.
# A number is under the name "endpoint group" or "model endpoint term", as estimate, lower, upper, p (or fewer).
suppressPackageStartupMessages({library(survival); library(jsonlite)})
paths <- commandArgs(TRUE)
d <- read.csv(paths[1], na.strings = "", colClasses = c(patient_id = "character"))
for (e in c("pfs", "os", "dor", "ttnt")) d[[paste0(e, "_status")]] <- as.numeric(d[[paste0(e, "_event")]] == "yes")
d$responded <- as.numeric(d$response %in% c("CR", "CRi", "nPR", "PR") & !(d$diagnosis == "ALL" & d$response %in% c("nPR", "PR")))
d$complete <- as.numeric(d$response %in% c("CR", "CRi"))
d$umrd <- as.numeric(d$umrd_day28 == "yes")
d$age_years <- d$age_years / 10
d$interval_days <- d$interval_days / 30
groups <- c("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "bulky", "diagnosis", "sex")
factors <- c(groups, "log2_dose_ratio", "interval_days", "age_years", "prior_lines")
binary <- c(response = "responded", cr = "complete", umrd_day28 = "umrd")
medians <- list(); rates <- list(); logrank <- list(); effects <- list()

# Columns of a factor, one a term: yes against no, or each level against the most frequent one.
columns <- function(f) {
  v <- d[[f]]
  if (is.numeric(v)) return(setNames(list(v), f))
  if (all(v %in% c("yes", "no", NA))) return(setNames(list(as.numeric(v == "yes")), f))
  rest <- setdiff(sort(unique(na.omit(v))), names(which.max(table(v))))
  setNames(lapply(rest, function(l) as.numeric(v == l)), paste0(f, "=", rest))
}

curve <- function(e, fit, name) {
  t <- summary(fit)$table
  medians[[paste(e, name)]] <<- unname(c(t["median"], t["0.95LCL"], t["0.95UCL"]))
  s <- summary(fit, times = c(182.625, 365.25, 730.5), extend = TRUE)
  for (i in seq_along(s$time)) rates[[paste(e, name, s$time[i])]] <<- c(s$surv[i], s$lower[i], s$upper[i])
}

effect <- function(model, e, fs) {
  x <- do.call(c, lapply(fs, columns))
  terms <- names(x)
  x <- as.data.frame(setNames(x, paste0("v", seq_along(x))))
  if (e %in% names(binary)) x$y <- d[[binary[[e]]]]
  else { x$time <- d[[paste0(e, "_days")]]; x$status <- d[[paste0(e, "_status")]] }
  x <- x[complete.cases(x), ]
  right <- paste0("v", seq_along(terms), collapse = " + ")
  if (e %in% names(binary)) {
    fit <- glm(as.formula(paste("y ~", right)), data = x, family = binomial())
    limits <- suppressMessages(confint(fit))[-1, , drop = FALSE]
    if (is.null(dim(limits)) || nrow(limits) != length(terms)) limits <- matrix(limits, ncol = 2)
    tested <- drop1(fit, test = "LRT")
    value <- coef(fit)[-1]
  } else {
    fit <- coxph(as.formula(paste("Surv(time, status) ~", right)), data = x, ties = "breslow")
    limits <- confint(fit)
    tested <- drop1(fit, test = "Chisq")
    value <- coef(fit)
  }
  p <- tested[["Pr(>Chi)"]][-1]
  for (i in seq_along(terms)) effects[[paste(model, e, terms[i])]] <<- unname(c(value[i], limits[i, ], p[i]))
}

for (e in c("pfs", "os", "dor", "ttnt")) {
  y <- Surv(d[[paste0(e, "_days")]], d[[paste0(e, "_status")]])
  curve(e, survfit(y ~ 1, conf.type = "log-log"), "all")
  for (g in groups) {
    for (l in sort(unique(na.omit(d[[g]])))) {
      curve(e, survfit(y ~ 1, subset = which(d[[g]] == l), conf.type = "log-log"), paste0(g, "=", l))
    }
    got <- survdiff(y ~ d[[g]])
    logrank[[paste(e, g)]] <- pchisq(got$chisq, length(got$n) - 1, lower.tail = FALSE)
  }
}
for (e in c(names(binary), "pfs", "os", "dor")) for (f in factors) effect("univariable", e, f)
for (e in c("response", "pfs")) effect("multivariable", e, c("cart1_cy_flu", "dose_increase"))
write_json(list(medians = medians, rates = rates, log_rank = logrank, effects = effects,
                versions = list(R = R.version.string, "R survival" = as.character(packageVersion("survival")))),
           paths[2], auto_unbox = TRUE, digits = NA)
