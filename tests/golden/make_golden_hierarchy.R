# Makes hierarchy.json: p-values of families of hypotheses adjusted by Holm's method (R's p.adjust), and by a fixed
# sequence (the cumulative maximum in the order given). Run from the repository's root:
# Rscript tests/golden/make_golden_hierarchy.R
vector <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ", "), "]")
case <- function(name, p) sprintf('{"name": "%s", "p": %s,\n "holm": %s,\n "fixed_sequence": %s}', name, vector(p),
                                  vector(p.adjust(p, "holm")), vector(cummax(p)))
set.seed(19)
cases <- c(
  case("one hypothesis", 0.04),
  case("four, rising", c(0.003, 0.012, 0.04, 0.2)),
  case("four, falling", c(0.2, 0.04, 0.012, 0.003)),
  case("ties", c(0.02, 0.02, 0.5, 0.02)),
  case("one that could not be tested", c(0.01, 1, 0.02)),
  case("twelve at random", round(runif(12)^2, 6)))
writeLines(sprintf('{"made_with": "%s",\n"families": [\n%s]}', R.version.string, paste(cases, collapse = ",\n")),
           "tests/golden/hierarchy.json")
