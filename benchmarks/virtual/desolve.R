# The same patients by deSolve's lsoda, right-hand side in plain R; called by solvers.py. Prints processor seconds.
suppressMessages({library(deSolve); library(jsonlite)})
room <- commandArgs(TRUE)[1]
asked <- fromJSON(file.path(room, "asked.json"))
patients <- read.csv(file.path(room, "p.csv"), check.names = FALSE)
change <- function(t, y, p) {
  e <- max(y[1], 0); m <- max(y[2], 0); x <- max(y[3], 0); tp <- max(y[4], 0); tn <- max(y[5], 0); a <- max(y[6], 0)
  cells <- e + m + x
  own <- min(exp(y[7]), 1)
  s <- (tp + p$b0) / (tp + p$b0 + p$Ks)
  niche <- 1 + p$kap * (1 - own)
  rejection <- p$rmax * a / (1 + cells / p$KR)
  growth <- p$w * p$rho * s * niche / (niche + p$KI) * max(0, 1 - cells / p$KC)
  back <- p$aM * s
  tumour <- p$g * (1 - (tp + tn) / p$Tmax)
  held <- y[8] * p$aH / (p$aH + a)
  list(c((growth - p$dE - p$x * s - p$m - rejection) * e + back * m, p$m * e - (p$dM + back + rejection) * m,
         p$x * s * e - (p$dX + rejection) * x, (tumour - p$mu - p$kk * e / (e + p$kB)) * tp, tumour * tn + p$mu * tp,
         p$rA * (1 - held) * own * a * (1 - a) * cells / (cells + p$KA) - p$dA * a, -p$rL * y[7], -p$kphi * y[8]))
}
one <- function(p) {
  p <- as.list(p)
  y <- c(0, 0, 0, p$T0 * (1 - p$fN), p$T0 * p$fN, p$A0, 0, 0)
  out <- matrix(NA, 366, 8)
  for (k in seq_len(nrow(asked$legs))) {
    leg <- asked$legs[k, ]
    kill <- p$cCy * leg$cy + p$cFlu * leg$flu
    y <- y * exp(-kill * c(1, 1, 1, p$sT, p$sT, p$sA, 0, 0))
    y[1] <- y[1] + leg$cells
    y[7] <- y[7] - kill
    y[8] <- 1 - (1 - y[8]) * (1 - p$phi0)^leg$flu
    p$w <- p[[paste0("w", leg$w)]]
    days <- 0:365
    inside <- days[days >= leg$a - 1e-9 & days <= leg$b + 1e-9]
    at <- sort(unique(c(leg$a, inside, leg$b)))
    found <- lsoda(y, at, change, p, rtol = asked$rtol, atol = asked$atol)
    out[inside + 1, ] <- found[match(inside, at), -1]
    y <- found[nrow(found), -1]
  }
  out
}
seconds <- system.time(all <- lapply(seq_len(nrow(patients)), function(i) one(patients[i, ])))
write.csv(do.call(rbind, all), file.path(room, "out.csv"), row.names = FALSE)
cat(sum(seconds[1:2]))
