from __future__ import annotations

import pytest
import yaml

from analysis_lib import config
from analysis_lib.errors import InvalidValue
from analysis_lib.warehouse import load_contract
from analysis_lib.warehouse.contract import _load

EXPECTED = {
    "countries", "country_factors", "fx_rates", "users", "merchants", "creators", "products", "events", "orders",
    "order_updates", "contents", "campaigns", "campaign_targets", "coupons", "coupon_events", "coupon_products",
    "experiments", "exposures", "app_releases", "stores", "product_promotions", "campaign_products",
    "launches",
}  # fmt: skip


def test_every_table_of_the_design_is_declared():
    assert set(load_contract()) == EXPECTED


def test_required_tables():
    required = {name for name, table in load_contract().items() if table.required}
    assert required == {"countries", "orders", "users", "products"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_table_says_what_it_means(name):
    table = load_contract()[name]
    assert table.grain.startswith("One row per") and table.grain.endswith(".")
    for column in table.columns:
        assert column.meaning.strip().endswith((".", "…")), column.name
        assert column.minimum is None or column.type in ("number", "integer"), column.name
        assert not column.name.endswith("_at") or column.type == "timestamp", column.name
        assert not column.name.endswith("_on") or column.type == "date", column.name
        assert not column.name.endswith("_share") or (column.minimum, column.maximum) == (0, 1), column.name


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_keys_are_required_and_filled(name):
    table = load_contract()[name]
    for key in table.key:
        assert table.column(key).required and not table.column(key).nullable


def test_a_reference_has_the_type_of_what_it_references():
    contract = load_contract()
    for table in contract.values():
        for column in table.columns:
            if column.references:
                parent, _, target = column.references.partition(".")
                assert contract[parent].column(target).type == column.type


def test_ids_of_people_are_marked_personal():
    for table in load_contract().values():
        for column in table.columns:
            if column.name in ("user_id", "creator_id", "unit_id", "session_id"):
                assert column.personal, f"{table.table}.{column.name}"


def _change(project, table, change):
    path = project.contract / f"{table}.yml"
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))
    _load.cache_clear()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.update(grian="x"), "contract/orders.yml: unknown key 'grian', did you mean 'grain'"),
        (lambda t: t["columns"][0].update(nulable=True), "unknown key 'columns.0.nulable', did you mean 'nullable'"),
        (lambda t: t["columns"][0].update(type="text"), "'columns.0.type'"),
        (lambda t: t["columns"][2].update(references="user.user_id"), "Did you mean 'users.user_id'?"),
        (lambda t: t.update(key=["order"]), "speaks of order"),
        (lambda t: t["columns"].append(t["columns"][0]), "names a column twice"),
        (lambda t: t.update(table="order"), "name the file order.yml"),
        (lambda t: t.pop("grain"), "'grain' is missing"),
    ],
)
def test_a_slip_in_the_contract_is_named(project, change, said):
    _change(project, "orders", change)
    with pytest.raises(InvalidValue) as error:
        load_contract(project)
    assert said in str(error.value)


def test_no_contract_at_all(tmp_path):
    with pytest.raises(InvalidValue, match="no table contract"):
        load_contract(config.Project(tmp_path))


def test_the_contract_is_read_once_and_cannot_be_changed_by_a_caller():
    load_contract().pop("orders")
    assert "orders" in load_contract()
    assert load_contract()["orders"] is load_contract()["orders"]
