# Writes tests/sources/adtte.sas7bdat.gz: the two patients of tests/sources/test_cdisc_adam.py as SAS7BDAT.
# The file is written by ReadStat (R package haven), not by SAS, which was not to be had.
library(haven)
one <- list("S1", "S1-001", 61, "F", "CAR", "2020-01-01")
two <- list("S1", "S1-002", 45, "M", "CAR", "2020-02-01")
os <- list("Overall survival (days)", "OS")
pfs <- list("PFS (days)", "PFS")
rows <- list(
  c(one, os, 11, "DAYS", 0, "2020-01-01", "2020-01-11", ""),
  c(two, os, 31, "DAYS", 1, "2020-02-01", "2020-03-02", ""),
  c(one, pfs, 5, "DAYS", 0, "2020-01-01", "2020-01-05", "INVESTIGATOR"),
  c(two, pfs, 21, "DAYS", 2, "2020-02-01", "2020-02-21", "INVESTIGATOR"),
  c(one, pfs, 8, "DAYS", 0, "2020-01-01", "2020-01-08", "IRC"),
  c(two, pfs, 21, "DAYS", 2, "2020-02-01", "2020-02-21", "IRC")
)
names <- c("STUDYID", "USUBJID", "AGE", "SEX", "TRTP", "TRTSDT", "PARAM", "PARAMCD", "AVAL", "AVALU", "CNSR", "STARTDT",
           "ADT", "PARCAT1")
columns <- lapply(seq_along(names), function(j) sapply(rows, function(r) r[[j]]))
data <- as.data.frame(setNames(columns, names), stringsAsFactors = FALSE)
for (name in c("TRTSDT", "STARTDT", "ADT")) data[[name]] <- as.Date(data[[name]])
path <- file.path(tempdir(), "adtte.sas7bdat")
suppressWarnings(write_sas(data, path))
bytes <- readBin(path, "raw", file.size(path))
out <- gzfile("tests/sources/adtte.sas7bdat.gz", "wb", compression = 9)
writeBin(bytes, out)
close(out)
