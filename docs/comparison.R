# R's numbers for docs/comparison.md: R 4.2 with survival and jsonlite.  Rscript docs/comparison.R
suppressMessages({library(survival); library(jsonlite)})
sheet <- read.csv("src/reinfuse/data/sheih_2020/sheet.csv")
sheet$cy_flu <- as.integer(sheet$cart1_lymphodepletion == "Cy/Flu")
sheet$cll <- as.integer(sheet$diagnosis == "CLL")
time <- Surv(sheet$pfs_days, sheet$pfs_event)

cox <- function(formula) {
  fit <- suppressWarnings(coxph(formula, sheet))
  all <- summary(fit)
  list(hazard_ratio = all$conf.int[1, 1], lower = all$conf.int[1, 3], upper = all$conf.int[1, 4],
       wald_p = all$waldtest[["pvalue"]], likelihood_ratio_p = all$logtest[["pvalue"]])
}

curve <- summary(survfit(time ~ 1, conf.type = "log-log"))$table
tests <- survdiff(time ~ cy_flu, sheet)
write_json(list(
  versions = list(R = paste(R.version$major, R.version$minor, sep = "."), survival = as.character(packageVersion("survival"))),
  median = list(estimate = curve[["median"]], lower = curve[["0.95LCL"]], upper = curve[["0.95UCL"]]),
  log_rank_p = pchisq(tests$chisq, 1, lower.tail = FALSE),
  cy_flu = cox(time ~ cy_flu), cll = cox(time ~ cll)
), "docs/comparison.json", auto_unbox = TRUE, digits = 8, pretty = TRUE, na = "null")
