# The permutation distribution of the stratified log-rank statistic, all arrangements within two centres.
# Rscript make_golden_permutation.R > permutation.json
library(survival)
time <- c(5, 8, 8, 12, 20, 3, 6, 9, 9, 15, 18); event <- c(1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0)
group <- c(1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0); site <- rep(1:2, c(5, 6))
scores <- unlist(lapply(1:2, function(s) residuals(coxph(Surv(time, event) ~ 1, subset = site == s, ties = "breslow"))))
ways <- lapply(1:2, function(s) combn(which(site == s), sum(group[site == s])))
sums <- outer(colSums(matrix(scores[ways[[1]]], nrow(ways[[1]]))), colSums(matrix(scores[ways[[2]]], nrow(ways[[2]]))), "+")
observed <- sum(scores[group == 1])
fit <- survdiff(Surv(time, event) ~ group + strata(site))
stopifnot(abs(observed - sum(fit$obs[2, ] - fit$exp[2, ])) < 1e-9)
km <- survfit(Surv(time, event) ~ 1, subset = site == 2)
at <- summary(km, times = c(6, 10, 16))
cat(sprintf(paste0('{"time": [%s], "event": [%s], "group": [%s], "site": [%s], "scores": [%s], "p": %.12f,\n',
                   ' "days": [6, 10, 16], "survival": [%s], "se": [%s]}\n'),
            paste(time, collapse = ", "), paste(event, collapse = ", "), paste(group, collapse = ", "),
            paste(site - 1, collapse = ", "), paste(sprintf("%.12f", scores), collapse = ", "),
            mean(abs(sums) >= abs(observed) - 1e-9), paste(sprintf("%.12f", at$surv), collapse = ", "),
            paste(sprintf("%.12f", at$std.err), collapse = ", ")))
