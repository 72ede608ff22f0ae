"""What a campaign costs beside its coupons: money spent outside the marketplace, and what creators are paid."""

from __future__ import annotations

from analysis_lib.world.draws import text
from analysis_lib.world.recipe import Recipe


def budgets(recipe: Recipe, name: str) -> dict[str, tuple[float, float | None]]:
    """Budget and media of a campaign by market, US dollars: each market's part goes by its users.

    Media is None where the campaign has none.
    """
    plant = recipe.campaigns[name]
    users = {market.country: recipe.users_of(market) for _, market in recipe.markets()}
    total = sum(users[country] for country in plant.countries)
    parts = {country: plant.budget_usd * recipe.scale * users[country] / total for country in plant.countries}
    return {
        country: (round(part, 2), round(part * plant.media, 2) if plant.media else None)
        for country, part in parts.items()
    }


def commission(recipe: Recipe, line: str, tier: str) -> str:
    """SQL of the commission on an order line, in local currency; nothing without a creator.

    Parameters
    ----------
    line : str
        Alias of a row of ``w_lines``.
    tier : str
        SQL of the creator's tier, null without one.
    """
    rates = " ".join(f"WHEN {text(name)} THEN {rate!r}" for name, rate in recipe.settings.supply.commission.items())
    return f"round({line}.gmv_local * CASE {tier} {rates} ELSE 0.0 END, greatest({line}.digits, 0))"
