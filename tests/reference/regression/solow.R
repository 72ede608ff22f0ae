# Writes data/published/mankiw_romer_weil.csv from package AER's GrowthDJ.
# Run: cd tests/reference/regression && Rscript solow.R
suppressMessages(library(AER))
data("GrowthDJ")
yes <- function(x) ifelse(x == "yes", "yes", "no")
table <- with(GrowthDJ, data.frame(
  number = seq_len(nrow(GrowthDJ)), non_oil = ifelse(oil == "no", "yes", "no"), intermediate = yes(inter),
  oecd = yes(oecd), gdp60, gdp85, popgrowth, invest, school
))
about <- c(
  "# Mankiw, Romer and Weil (1992), A contribution to the empirics of economic growth, Quarterly Journal of",
  "# Economics 107(2), appendix: 121 countries in the order of print, without their names, as package AER 1.2.10",
  "# keeps them (GrowthDJ, after Durlauf and Johnson 1995). gdp60, gdp85: output per adult, dollars of 1985;",
  "# popgrowth: of working age, % a year, 1960 to 1985; invest: % of output; school: % of working age in secondary",
  "# school. Printed to one decimal. Made by tests/reference/regression/solow.R."
)
file <- file("../../../data/published/mankiw_romer_weil.csv", "w")
writeLines(about, file)
write.csv(table, file, row.names = FALSE, quote = FALSE, na = "")
close(file)
