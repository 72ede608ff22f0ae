library(BMS); library(MASS)
crime <- UScrime
crime[, -2] <- log(UScrime[, -2])          # all but the indicator of the South, as in the literature
crime <- crime[, c("y", setdiff(names(crime), "y"))]
write.csv(crime, "crime.csv", row.names = FALSE)
found <- bms(crime, nmodel = 2^15, g = "UIP", mprior = "uniform", mcmc = "enumerate", user.int = FALSE)
out <- coef(found, exact = TRUE, std.coefs = FALSE)
write.csv(data.frame(term = rownames(out), out[, 1:4]), "bms.csv", row.names = FALSE)
print(out); print(packageVersion("BMS"))
