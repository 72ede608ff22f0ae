"""Every wrong setting is refused, and the message names its place."""

from __future__ import annotations

import copy
from datetime import date

import pytest
import yaml

from analysis_lib import config, world
from analysis_lib.errors import InvalidValue

FILE = yaml.safe_load((config.project().data / "world.yml").read_text(encoding="utf-8"))
NINE_NINE = FILE["campaigns"]["nine_nine_2026"]


def market(**changes):
    """All markets, the first one changed."""
    markets = copy.deepcopy(FILE["markets"])
    markets[0].update(changes)
    return {"markets": markets}


def plant(group, name, **changes):
    return {group: {name: changes}}


def arm(experiment, variant, **changes):
    return {"experiments": {experiment: {"variants": {variant: changes}}}}


NAN, INF = float("nan"), float("inf")
ALL_CARD = {"card": 0.5}

#: Changes, and what the message must say: the place, and what helps.
WRONG = [
    # unknown keys and names, with the nearest
    ({"funel": {}}, "unknown key 'funel', did you mean 'funnel'"),
    ({"funnel": {"viev": 0.1}}, "unknown key 'funnel.viev', did you mean 'view'"),
    (market(visit=1), "unknown key 'markets.0.visit', did you mean 'visits'"),
    (plant("campaigns", "nine_nine_2026", visit=0.1), "campaigns.nine_nine_2026.visit', did you mean 'visits'"),
    (arm("new_icons", "treatment", shar=0.5), "variants.treatment.shar', did you mean 'share'"),
    ({"factors": {"delivery_day": {"metric": "cart", "form": "linear", "coefficient": 1, "around": 1}}},
     "'factors.delivery_day': no country factor, did you mean 'delivery_days'"),
    ({"funnel": {"surfaces": {"telly": 0.1}}}, "funnel.surfaces.telly"),
    ({"funnel": {"surface_cart": {"telly": 0.1}}}, "funnel.surface_cart.telly"),
    (market(methods={"crad": 1.0}), "markets.0.methods.crad"),
    # kinds of values
    ({"days": "many"}, "'days'"),
    ({"days": 10}, "'days'"),
    ({"first_day": "once"}, "'first_day'"),
    ({"people": [1]}, "'people'"),
    ({"people": {"number": INF}}, "'people.number'"),
    ({"supply": {"categories": {"food": {"price_usd": NAN}}}}, "supply.categories.food.price_usd"),
    ({"factors": {"active_creators": {"coefficient": NAN}}}, "factors.active_creators.coefficient"),
    ({"funnel": {"view": 1.2}}, "'funnel.view'"),
    ({"funnel": {"shipping_usd": -1}}, "'funnel.shipping_usd'"),
    # markets
    ({"markets": []}, "'markets': at least one"),
    ({"markets": [*FILE["markets"], FILE["markets"][0]]}, "a market is listed twice"),
    (market(users=0), "'markets.0.users'"),
    (market(users=-1), "'markets.0.users'"),
    (market(country="Indonesia"), "'markets.0.country'"),
    (market(currency="idr"), "'markets.0.currency'"),
    (market(currency="THB"), "'markets.1.usd_per_unit': another market has THB at another rate"),
    (market(timezone="Asia/Djakarta"), "'markets.0.timezone': not an IANA time zone"),
    (market(timezone="../etc"), "'markets.0.timezone'"),
    (market(growth=2), "'markets.0.growth'"),
    (market(digits=3), "'markets.0.digits'"),
    (market(methods=ALL_CARD), "methods of ID do not add up to 1"),
    (market(methods={"cod": 1.0}), "'markets.0.methods': something beside cash on delivery"),
    (market(success={"card": 0.9}), "success of wallet in ID is missing|success of bank_transfer in ID is missing"),
    (market(android=0.8, ios=0.3), "android and ios of ID"),
    (market(season=[1.0] * 11), "'markets.0.season'"),
    (market(tax=[]), "'markets.0.tax'"),
    (market(tax=[{"from": date(2025, 5, 1), "vat": 0, "duty": 0}, {"from": date(2024, 5, 1), "vat": 0, "duty": 0}]),
     "'markets.0.tax': steps must follow each other"),
    (market(tax=[{"form": date(2025, 5, 1), "vat": 0, "duty": 0}]), "did you mean 'from'"),
    # shares
    ({"people": {"kinds": {"ordinary": {"share": 0.5}}}}, "'people.kinds': shares add up to 0.75"),
    ({"people": {"channels": {"radio": 0.2}}}, "'people.channels': shares add up to 1.2"),
    ({"people": {"android_versions": {"android 9": 0}}}, "'people.android_versions'"),
    ({"people": {"ios_versions": {"ios 15": 0.5}}}, "'people.ios_versions'"),
    ({"supply": {"origins": {"CN": 0.2}}}, "'supply.origins'"),
    ({"supply": {"tiers": {"top": 0.5}}}, "'supply.tiers'"),
    ({"supply": {"categories": {"food": {"popularity": 0.5}}}}, "'supply.categories'"),
    ({"funnel": {"surfaces": {"live": 0.5}}}, "'funnel.surfaces'"),
    ({"calendar": {"hours": [1, 2, 3]}}, "'calendar.hours'"),
    ({"calendar": {"hours": [0] * 24}}, "'calendar.hours'"),
    # what would overflow or divide by nothing
    ({"people": {"before": 1.0}}, "'people.before'"),
    ({"people": {"visits_per_month": 5000}}, "'people.visits_per_month'"),
    ({"supply": {"videos_per_month": 400}}, "'supply.videos_per_month'"),
    ({"factors": {"active_creators": {"around": 0}}}, "'factors.active_creators': a logarithm"),
    ({"factors": {"cod_share": {"form": "log"}}}, "'factors.cod_share': a logarithm"),
    ({"factors": {"cod_share": {"metric": "gmv"}}}, "'factors.cod_share.metric'"),
    # devaluations
    ({"devaluations": [{"currency": "ARS", "day": date(2026, 1, 1), "loss": 0.1}]}, "no market has ARS"),
    ({"devaluations": [{"currency": "BRL", "day": date(2036, 1, 1), "loss": 0.1}]}, "'devaluations.0.day'"),
    ({"devaluations": [{"currency": "BRL", "day": date(2026, 1, 1), "loss": 1}]}, "'devaluations.0.loss'"),
    # campaigns
    (plant("campaigns", "nine_nine_2026", first_day=date(2030, 1, 1), last_day=date(2030, 1, 2)),
     "'campaigns.nine_nine_2026.first_day': 2030-01-01 is outside 2024-10-31 to 2026-10-31"),
    (plant("campaigns", "nine_nine_2026", last_day=date(2026, 1, 1)), "campaigns.nine_nine_2026'.*before it starts"),
    (plant("campaigns", "nine_nine_2026", countries=["ID", "FR"]), "campaigns.nine_nine_2026.countries': FR"),
    (plant("campaigns", "nine_nine_2026", countries=[]), "campaigns.nine_nine_2026.countries"),
    (plant("campaigns", "nine_nine_2026", categories=["toys"]), "campaigns.nine_nine_2026.categories': toys"),
    (plant("campaigns", "nine_nine_2026", mechanic="flash"), "campaigns.nine_nine_2026.mechanic"),
    (plant("campaigns", "nine_nine_2026", holdout_share=0.1), "targeting: holdout"),
    (plant("campaigns", "nine_nine_2026", reach=0.4), "targeting: segment"),
    (plant("campaigns", "nine_nine_2026", ran_out_on=date(2026, 9, 20)), "ran_out_on"),
    (plant("campaigns", "nine_nine_2026", visits=3), "campaigns.nine_nine_2026.visits': .* more than people.most"),
    ({"campaigns": {"9.9; DROP TABLE": NINE_NINE}}, "small letters"),
    # experiments
    (arm("new_icons", "treatment", share=0.7), "experiments.new_icons'.*do not add up"),
    (arm("new_icons", "treatment", effect={"carts": 0.1}), "'carts' is no lever"),
    (arm("new_icons", "treatment", effect={"price": 0.1}), "new_icons.variants.treatment.effect': no experiment"),
    (arm("new_icons", "treatment", by_country={"US": {"cart": 0.1}}), "by_country': US is no market"),
    (arm("one_page_checkout", "one_page", effect={"cart": 0.1}), "cart comes before trigger: cart"),
    (plant("experiments", "faster_search", phases=[[0, 2.0]]), "experiments.faster_search.phases"),
    (plant("experiments", "faster_search", phases=[[0, 0.1], [9, 0.2], [5, 0.3]]), "experiments.faster_search.phases"),
    (plant("experiments", "faster_search", phases=[[1, 0.1]]), "begin on day 0"),
    (plant("experiments", "coupon_reminder", trigger="visit"), "experiments.coupon_reminder.budget"),
    ({"experiments": {"strike_europe": FILE["experiments"]["new_icons"]}}, "two plants share a name"),
    # releases
    (plant("releases", "android_33", effect={"crsh": 7}), "'crsh' is no lever"),
    (plant("releases", "android_33", only=["android 8"]), "releases.android_33.only': no user has android 8"),
    (plant("releases", "android_33", version="32.0"), "android 32.0 is released twice"),
    (plant("releases", "android_33", ramp=[[0, 0.5], [3, 0.1]]), "ramp must rise"),
    (plant("releases", "android_33", ramp=[[-3, 0.5]]), "begins before the release"),
    (plant("releases", "android_33", countries=["ID"]), "goes to every market"),
    (plant("releases", "android_33", platform="symbian"), "releases.android_33.platform"),
    # launches
    (plant("launches", "free_returns", effect={"carts": 0.1}), "'carts' is no lever"),
    (plant("launches", "free_returns", effect={"visit": 0.1}), "'visit' is no lever"),
    (plant("launches", "free_returns", waiting={"price": 0.1}), "free_returns.effect': no launch changes prices"),
    (plant("launches", "free_returns", live_on={"FR": date(2026, 3, 2)}), "launches.free_returns.countries': FR"),
    (plant("launches", "free_returns", live_on={"TH": date(2030, 1, 1)}), "'launches.free_returns.live_on.TH'"),
    (plant("launches", "free_returns", live_on={"TH": date(2024, 11, 5)}), "announced': in TH that lies before"),
    (plant("launches", "free_returns", live_on={"TH": "soon"}), "launches.free_returns.live_on.TH"),
    (plant("launches", "free_returns", live_on=[]), "launches.free_returns.live_on"),
    (plant("launches", "free_returns", first_day=date(2026, 3, 2)), "follow from live_on; leave them out"),
    (plant("launches", "free_returns", countries=["TH"]), "follow from live_on; leave them out"),
    (plant("launches", "free_returns", by_country={"VN": {"cart": 0.1}}), "by_country': VN is no market"),
    (plant("launches", "free_returns", categories=["food"]), "free_returns.categories': a launch"),
    (plant("launches", "free_returns", announced=0), "waiting goes with announced"),
    (plant("launches", "free_returns", grows=-1), "launches.free_returns.grows"),
    (plant("launches", "free_returns", metric="Cart rate"), "launches.free_returns.metric"),
    ({"launches": {"strike_europe": FILE["launches"]["free_returns"]}}, "two plants share a name"),
    # incidents
    *[
        (plant("incidents", name, size=size), f"'incidents.{name}.size'")
        for name, size in {
            "payment_outage_brazil": -1, "tracking_loss_ios": 1.5, "price_error_indonesia": 0, "stock_out_us": 5,
            "bots_mexico": -3, "strike_europe": -30, "late_data_indonesia": -3, "currency_error_malaysia": 0,
            "viral_creator_philippines": -2, "mix_shift_singapore": 7,
        }.items()
    ],
    (plant("incidents", "price_error_indonesia", hours=[15, 8]), "'incidents.price_error_indonesia.hours'"),
    (plant("incidents", "price_error_indonesia", hours=[0, 25]), "'incidents.price_error_indonesia.hours'"),
    (plant("incidents", "payment_outage_brazil", method="crad"), "unknown 'crad', did you mean 'card'"),
    (plant("incidents", "tracking_loss_ios", platform="iphone"), "'incidents.tracking_loss_ios.platform'"),
    (plant("incidents", "mix_shift_singapore", surface="vidoe"), "did you mean 'video'"),
    (plant("incidents", "strike_europe", kind="strike"), "'incidents.strike_europe.kind'"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_settings_name_their_place(changes, message):
    with pytest.raises(InvalidValue, match=message) as caught:
        world.load_settings(changes)
    assert "world.yml" in str(caught.value)


def test_a_build_refuses_them_before_it_touches_the_file(tmp_path):
    with pytest.raises(InvalidValue, match="funel"):
        world.build(tmp_path / "w.duckdb", settings={"funel": {}})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("changes", [[1], "people", 3])
def test_changes_come_as_a_mapping(changes):
    with pytest.raises(InvalidValue, match="must be a mapping"):
        world.load_settings(changes)


def test_several_problems_are_told_at_once():
    with pytest.raises(InvalidValue) as caught:
        world.load_settings({"people": {"before": 1.0}, "calendar": {"hours": [0] * 24}})
    assert "people.before" in str(caught.value) and "calendar.hours" in str(caught.value)


def test_changes_are_laid_over_the_file():
    usual, changed = world.load_settings(), world.load_settings({"funnel": {"view": 0.5}})
    assert (changed.funnel.view, changed.funnel.cart) == (0.5, usual.funnel.cart)
    assert world.load_settings({}) == usual
    assert changed.campaigns == usual.campaigns


def test_the_file_plants_what_the_book_promises():
    settings = world.load_settings()
    assert [len(group) for group in (settings.markets, settings.campaigns, settings.experiments)] == [12, 24, 12]
    assert (len(settings.releases), len(settings.launches), len(settings.incidents)) == (8, 2, 10)
    assert len({incident.kind for incident in settings.incidents.values()}) == 10
    assert settings.last_day == date(2026, 10, 31)


def test_none_takes_a_key_out():
    """A world without any campaign, or a shorter one without what lies outside it, is a setting away."""
    left = world.load_settings({"campaigns": None, "incidents": {"strike_europe": None}})
    assert left.campaigns == {}
    assert "strike_europe" not in left.incidents
    assert "stock_out_us" in left.incidents
