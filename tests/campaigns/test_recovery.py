"""The review finds what was planted, and nothing where nothing was."""

from __future__ import annotations

import time
def test_x(shop, review, simulate, reviewed, planted_effect):
    print(shop.truth); print(review.ledger); print(review.effect.placebos); print(review.text); print(review.effect.weights.text, review.effect.held_out.text)
    for s in range(10,14):
        t=time.time(); r=reviewed(simulate(s)); print(time.time()-t); print(r.ledger.iloc[:,[0,2,3,4]]); print(r.decision.action)
