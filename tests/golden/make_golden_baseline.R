# Makes baseline.json: standardised differences and tests of two and three groups. Run from the repository's root:
# Rscript tests/golden/make_golden_baseline.R
# Differences follow the formulas of Austin (Stat Med 2009;28:3083) and of Yang and Dalton (SAS Global Forum 2012, 335);
# the tests are fisher.test, wilcox.test and kruskal.test of R's package stats.
suppressPackageStartupMessages(library(jsonlite))

smd_numbers <- function(x, y) abs(mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2)

smd_categories <- function(x, y) {
  p <- (x / sum(x))[-1]
  q <- (y / sum(y))[-1]
  half <- function(p) diag(p, length(p)) - outer(p, p)
  drop(sqrt(t(p - q) %*% solve((half(p) + half(q)) / 2) %*% (p - q)))
}

categories <- function(name, table) {
  list(name = unbox(name), table = table, smd = unbox(smd_categories(table[1, ], table[2, ])),
       p = unbox(fisher.test(table, workspace = 2e7)$p.value))
}

numbers <- function(name, groups) {
  p <- if (length(groups) == 2) wilcox.test(groups[[1]], groups[[2]]) else kruskal.test(groups)
  list(name = unbox(name), groups = groups, smd = unbox(smd_numbers(groups[[1]], groups[[2]])), p = unbox(p$p.value))
}

counts <- function(..., rows) matrix(c(...), nrow = rows, byrow = TRUE)
options(warn = -1)  # wilcox.test says that it is not exact with ties
set.seed(20090101)
cases <- list(
  versions = list(R = unbox(as.character(getRversion()))),
  categories = list(
    categories("two by two", counts(3, 12, 14, 14, rows = 2)),
    categories("two by two, a zero", counts(0, 15, 6, 22, rows = 2)),
    categories("two by five", counts(7, 2, 2, 1, 3, 7, 7, 6, 3, 5, rows = 2)),
    categories("two by three, large", counts(60, 40, 25, 45, 55, 31, rows = 2)),
    categories("three by four", counts(3, 4, 2, 1, 1, 5, 6, 2, 8, 2, 3, 4, rows = 3)),
    categories("four by three", counts(3, 4, 2, 1, 5, 6, 8, 2, 3, 2, 3, 7, rows = 4))),
  numbers = list(
    numbers("no ties", list(round(rnorm(9, 50, 12), 3), round(rnorm(14, 58, 9), 3))),
    numbers("ties", list(c(3, 4, 4, 5, 6, 6, 7), c(4, 4, 5, 5, 8, 9, 9, 10, 12))),
    numbers("sixty without ties", list(round(rnorm(60, 5, 2), 5), round(rnorm(52, 5.5, 3), 5))),
    numbers("three groups", list(c(3, 4, 4, 5, 6), c(4, 7, 8, 9, 9, 10), c(1, 2, 2, 3, 5, 5, 6)))))
writeLines(toJSON(cases, digits = NA, pretty = TRUE), "tests/golden/baseline.json")
