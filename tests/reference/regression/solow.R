# Writes solow.csv: the non-oil countries of Mankiw, Romer and Weil, as package AER keeps them (GrowthDJ).
# Run: cd tests/reference/regression && Rscript solow.R
suppressMessages(library(AER))
data("GrowthDJ")
non_oil <- subset(GrowthDJ, oil == "no", c("gdp85", "invest", "popgrowth", "school"))
write.csv(non_oil, "solow.csv", row.names = FALSE, quote = FALSE)
