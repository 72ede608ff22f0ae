"""Writes ``panel.csv``: 12 markets by 36 weeks, made by chance, on which packages are compared."""

from pathlib import Path

import numpy as np
import pandas as pd

MARKETS, WEEKS = 12, 36

if __name__ == "__main__":
    rng = np.random.default_rng(20260101)
    market, week = np.repeat(np.arange(MARKETS), WEEKS), np.tile(np.arange(WEEKS), MARKETS)
    n = MARKETS * WEEKS
    own, shared = rng.normal(size=MARKETS), rng.normal(size=WEEKS)
    outside = rng.normal(size=n)
    hidden = rng.normal(size=n)
    x = 0.6 * outside + 0.5 * hidden + 0.5 * own[market] + rng.normal(size=n)
    z = rng.normal(size=n) + 0.4 * shared[week]
    noise = (0.6 + 0.4 * np.abs(z)) * rng.normal(size=n)
    y = 1 + 0.5 * x - 0.3 * z + own[market] + shared[week] + 0.5 * hidden + noise
    chosen = rng.random(n) < 1 / (1 + np.exp(-(0.3 + 0.8 * x - 0.5 * z + 0.3 * own[market])))
    count = rng.poisson(np.exp(0.5 + 0.3 * x - 0.2 * z + 0.3 * own[market]) * rng.gamma(2, 0.5, n))
    frame = pd.DataFrame({
        "market": [f"m{place:02d}" for place in market], "week": week + 1, "y": y, "x": x, "z": z,
        "outside": outside, "other": rng.normal(size=n) + 0.5 * outside, "chosen": chosen.astype(int),
        "count": count, "weight": rng.uniform(0.5, 2.0, n),
    })  # fmt: skip
    frame.round(4).to_csv(Path(__file__).with_name("panel.csv"), index=False)
