# Makes mice.json: pooled results of R's mice, so that the tests need no R.
# Run from the repository's root: Rscript tests/golden/make_mice.R
suppressPackageStartupMessages({library(mice); library(jsonlite)})
set.seed(19991186)

case <- function(name, Q, U, n, k) {
  got <- pool.scalar(Q, U, n = n, k = k, rule = "rubin1987")
  list(name = unbox(name), estimates = Q, variances = U, complete_df = if (is.finite(n)) unbox(n - k) else NULL,
       qbar = unbox(got$qbar), total = unbox(got$t), df = unbox(got$df), fmi = unbox(got$fmi))
}

drawn <- function(m, centre, between, within) {
  list(Q = rnorm(m, centre, sqrt(between)), U = within * exp(rnorm(m, 0, 0.2)))
}
five <- drawn(5, 0.8, 0.1, 0.3); twenty <- drawn(20, -0.4, 0.05, 0.5); tiny <- drawn(20, 1.2, 1e-14, 0.25)
wide <- drawn(5, 0.1, 2, 0.1); two <- drawn(2, 1, 0.2, 0.4); hundred <- drawn(100, 2, 0.3, 0.2)
cases <- list(
  case("m = 5, 44 patients", five$Q, five$U, 44, 3),
  case("m = 20, 100 patients", twenty$Q, twenty$U, 100, 6),
  case("m = 20, tiny between variance", tiny$Q, tiny$U, 30, 2),
  case("m = 5, most of the information missing", wide$Q, wide$U, 12, 4),
  case("m = 2, one degree of freedom", two$Q, two$U, 4, 3),
  case("m = 100, 200 patients", hundred$Q, hundred$U, 200, 10),
  case("m = 20, infinite complete df", twenty$Q, twenty$U, Inf, 1),
  case("m = 3, no between variance", c(0.5, 0.5, 0.5), c(0.2, 0.3, 0.25), 20, 2)
)
versions <- list(R = unbox(paste(R.version$major, R.version$minor, sep = ".")),
                 mice = unbox(as.character(packageVersion("mice"))))
write(toJSON(list(versions = versions, pool_scalar = cases), digits = NA, pretty = TRUE, null = "null"),
      "tests/golden/mice.json")
