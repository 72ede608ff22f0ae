# Writes reference.csv: coefficients and errors of panel.csv by R.
# Run: cd tests/reference/regression && Rscript reference.R
suppressMessages({library(plm); library(sandwich); library(lmtest); library(MASS); library(AER); library(lme4)})
d <- read.csv("panel.csv")
d$market <- factor(d$market)
version_of <- function(p) paste0(p, " ", packageVersion(p), " with R ", getRversion())
rows <- list()
keep <- function(case, package, fit, v, b = coef(fit)) {
  names <- intersect(c("(Intercept)", "x", "z"), names(b))
  rows[[length(rows) + 1]] <<- data.frame(
    case = case, term = sub("(Intercept)", "Intercept", names, fixed = TRUE), value = unname(b[names]),
    se = if (is.null(v)) NA else sqrt(diag(as.matrix(v))[names]), made_by = version_of(package))
}
two <- ~ market + week

for (w in c("plain", "weighted")) {
  d$w <- if (w == "plain") 1 else d$weight
  ols <- lm(y ~ x + z, d, weights = w)
  keep(paste("ols iid none", w), "stats", ols, vcov(ols))
  keep(paste("ols HC1 none", w), "sandwich", ols, vcovHC(ols, "HC1"))
  keep(paste("ols HC3 none", w), "sandwich", ols, vcovHC(ols, "HC3"))
  keep(paste("ols CRV1 none", w), "sandwich", ols, vcovCL(ols, ~ market, type = "HC1"))
  one <- lm(y ~ x + z + market, d, weights = w)
  keep(paste("ols iid market", w), "stats", one, vcov(one))
  keep(paste("ols HC1 market", w), "sandwich", one, vcovHC(one, "HC1"))
  both <- lm(y ~ x + z + market + factor(week), d, weights = w)
  keep(paste("ols iid both", w), "stats", both, vcov(both))
  keep(paste("ols HC1 both", w), "sandwich", both, vcovHC(both, "HC1"))
  for (link in c("logit", "probit")) {
    g <- suppressWarnings(glm(chosen ~ x + z, quasibinomial(link), d, weights = w, control = glm.control(1e-14, 100)))
    keep(paste(link, "HC1 none", w), "sandwich", g, vcovHC(g, "HC0") * nrow(d) / (nrow(d) - 3))
    keep(paste(link, "CRV1 none", w), "sandwich", g, vcovCL(g, ~ market, type = "HC1"))
  }
  g <- glm(count ~ x + z, quasipoisson, d, weights = w, control = glm.control(1e-14, 100))
  keep(paste("poisson HC1 none", w), "sandwich", g, vcovHC(g, "HC0") * nrow(d) / (nrow(d) - 3))
  keep(paste("poisson CRV1 none", w), "sandwich", g, vcovCL(g, ~ market, type = "HC1"))
  g <- glm(count ~ x + z + market, quasipoisson, d, weights = w, control = glm.control(1e-14, 100))
  keep(paste("poisson HC1 market", w), "sandwich", g, vcovHC(g, "HC0") * nrow(d) / (nrow(d) - 14))
  iv <- ivreg(y ~ x + z | outside + other + z, data = d, weights = w)
  keep(paste("iv iid none", w), "AER", iv, vcov(iv))
  keep(paste("iv HC1 none", w), "sandwich", iv, sandwich(iv) * nrow(d) / (nrow(d) - 3))
  keep(paste("iv CRV1 none", w), "sandwich", iv, vcovCL(iv, ~ market, type = "HC1"))
  iv <- ivreg(y ~ x + z + market | outside + other + z + market, data = d, weights = w)
  keep(paste("iv iid market", w), "AER", iv, vcov(iv))
}
iid <- function(f) vcov(f)
ols <- lm(y ~ x + z, d)
keep("ols two none plain", "sandwich", ols, vcovCL(ols, two, type = "HC1", multi0 = FALSE))
s <- d[d$market == "m03", ]
series <- lm(y ~ x + z, s)
keep("series HAC 3", "sandwich", series, NeweyWest(series, lag = 3, prewhite = FALSE, adjust = TRUE))
for (l in c("logit", "probit")) {
  g <- glm(chosen ~ x + z, binomial(l), d, control = glm.control(1e-14, 100))
  keep(paste(l, "iid none plain"), "stats", g, vcov(g))
}
g <- glm(count ~ x + z, poisson, d, control = glm.control(1e-14, 100))
keep("poisson iid none plain", "stats", g, vcov(g))
nb <- glm.nb(count ~ x + z, d, control = glm.control(1e-14, 200))
keep("negative_binomial none none plain", "MASS", nb, NULL)
p <- pdata.frame(d, index = c("market", "week"))
pooled <- plm(y ~ x + z, p, model = "pooling")
within <- plm(y ~ x + z, p, model = "within")
keep("panel fixed iid", "plm", within, iid(within))
keep("panel fixed CRV1", "plm", within, vcovHC(within, method = "arellano", type = "sss"))
keep("panel fixed driscoll_kraay 3", "plm", within, vcovSCC(within, maxlag = 3))
keep("ols driscoll_kraay 3", "plm", pooled, vcovSCC(pooled, maxlag = 3))
random <- plm(y ~ x + z, p, model = "random", random.method = "swar")
keep("panel random iid", "plm", random, iid(random))
between <- plm(y ~ x + z, p, model = "between")
keep("panel between iid", "plm", between, iid(between))
fd <- plm(y ~ x + z - 1, p, model = "fd")
keep("panel first_differences iid", "plm", fd, iid(fd))
m <- lmer(y ~ x + z + (1 | market), d, control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12)))
keep("mixed", "lme4", m, vcov(m), fixef(m))
out <- do.call(rbind, rows)
out$value <- signif(out$value, 10)
out$se <- signif(out$se, 10)
write.csv(out, "reference.csv", row.names = FALSE, quote = FALSE)
