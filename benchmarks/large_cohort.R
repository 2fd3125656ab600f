# The same estimates as reinfuse's, from its patients.csv, by R survival and glm. Prints JSON. Arguments: the file.
suppressPackageStartupMessages({library(survival); library(jsonlite)})
started <- proc.time()[["elapsed"]]
d <- read.csv(commandArgs(TRUE)[1], na.strings = "", colClasses = c(patient_id = "character"))
for (e in c("pfs", "os", "dor", "ttnt")) d[[paste0(e, "_status")]] <- as.numeric(d[[paste0(e, "_event")]] == "yes")
d$responded <- as.numeric(d$response %in% c("CR", "CRi", "nPR", "PR") & !(d$diagnosis == "ALL" & d$response %in% c("nPR", "PR")))
d$complete <- as.numeric(d$response %in% c("CR", "CRi"))
d$umrd <- as.numeric(d$umrd_day28 == "yes")
groups <- c("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "bulky", "diagnosis", "sex")
factors <- c(groups, "log2_dose_ratio", "interval_days", "age_years", "prior_lines")
medians <- list(); logrank <- list(); effects <- list()
for (e in c("pfs", "os", "dor", "ttnt")) {
  y <- Surv(d[[paste0(e, "_days")]], d[[paste0(e, "_status")]])
  fit <- survfit(y ~ 1, conf.type = "log-log")
  medians[[e]] <- unname(summary(fit)$table["median"])
  for (g in groups) {
    fit <- survfit(y ~ d[[g]], conf.type = "log-log")
    summary(fit)$table
    summary(fit, times = c(182.625, 365.25, 730.5), extend = TRUE)
    got <- survdiff(y ~ d[[g]])
    logrank[[paste(e, g)]] <- got$chisq
  }
  for (f in factors) if (e != "ttnt") effects[[paste(e, f)]] <- unname(coef(coxph(y ~ d[[f]], ties = "breslow")))[1]
}
invisible(coxph(Surv(pfs_days, pfs_status) ~ cart1_cy_flu + dose_increase, d, ties = "breslow"))
for (e in c("responded", "complete", "umrd")) for (f in factors) {
  fit <- glm(d[[e]] ~ d[[f]], family = binomial())
  effects[[paste(e, f)]] <- unname(coef(fit))[2]
  suppressMessages(confint(fit))
  drop1(fit, test = "LRT")
}
cat(toJSON(list(seconds = proc.time()[["elapsed"]] - started, medians = medians, logrank_chisq = logrank, effects = effects,
                versions = list(R = R.version.string, survival = as.character(packageVersion("survival")))),
           auto_unbox = TRUE, digits = NA))
