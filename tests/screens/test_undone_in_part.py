"""A change of which a part cannot be taken back any more: what is back and what is not is said."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.errors import CrmmailError
from crmmail.screens.deeds import _set_company
from crmmail.screens.edit import edit_form
from crmmail.screens.undo import Do, FieldError, PartlyUndoneError, Steps, Undo
from crmmail.store import companies, people
from crmmail.store.database import Store
from tests.screens.harness import press, settle


def said(app: CrmmailApp) -> list[str]:
    return [one.message for one in app._notifications]


def cannot() -> None:
    raise CrmmailError("It was changed since.", "It stays as it is.")


def steps(*parts: tuple[str, Undo]) -> Steps:
    made = Steps()
    for what, undo in parts:
        made.add(what, undo)
    return made


async def test_an_edit_names_the_fields_that_are_back_and_the_one_that_stays(
    app: CrmmailApp, store: Store
) -> None:
    ada = people.get(store.read(), 1)
    assert ada is not None
    form = edit_form(store, ada)
    typed = {one.key: one.start for one in form.fields} | {"job": "Countess", "phone": "+44 20 1"}
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot)
        app.post_message(Do("Ada Lovelace changed", lambda: form.save(typed)))
        await settle(pilot)
        people.edit(store, 1, phone="+44 20 2")
        await press(pilot, "u")
        assert (
            "Undone only in part (Ada Lovelace changed). Undone: job. "
            "Not any more: phone (The phone was changed since)."
        ) in said(app)
        assert not any(one.startswith("This cannot be undone") for one in said(app))
    now = people.get(store.read(), 1)
    assert now is not None
    assert (now.job, now.phone) == (ada.job, "+44 20 2")


async def test_of_which_nothing_is_back_says_so_as_before(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot)
        app.post_message(Do("Ada changed", lambda: steps(("job", cannot)).undo))
        await settle(pilot)
        await press(pilot, "u")
        assert "This cannot be undone any more (Ada changed): It was changed since." in said(app)


def test_people_are_named_and_two_of_one_name_are_two(store: Store) -> None:
    ids = [people.create(store, "John Smith", [f"john{one}@smith.example"]) for one in (1, 2, 3)]
    undo = _set_company(store, ids, companies.create(store, "Acme"))
    for one in ids[:2]:
        people.set_company(store, one, None)
    with pytest.raises(PartlyUndoneError) as caught:
        undo()
    assert str(caught.value) == (
        "Undone: John Smith. Not any more: John Smith (The company was changed since), "
        "John Smith (The company was changed since)."
    )


def test_parts_are_told_in_their_order_and_many_by_their_number() -> None:
    parts = [(f"part {one}", cannot if one in (2, 5) else lambda: None) for one in range(1, 10)]
    with pytest.raises(PartlyUndoneError) as caught:
        steps(*parts).undo()
    assert str(caught.value) == (
        "Undone: part 1, part 3, part 4, part 6, part 7, 2 more. "
        "Not any more: part 2 (It was changed since), part 5 (It was changed since)."
    )


def test_two_parts_that_both_stay_are_both_told() -> None:
    with pytest.raises(CrmmailError) as caught:
        steps(("job", cannot), ("phone", cannot)).undo()
    assert str(caught.value) == (
        "Undone: nothing. Not any more: job (It was changed since), phone (It was changed since)."
    )


async def test_a_person_whom_another_app_deleted_is_named_without_a_command(
    app: CrmmailApp, store: Store
) -> None:
    def delete(number: int) -> Undo:
        people.delete(store, number)
        return cannot

    people.delete(store, 1)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot)
        app.post_message(Do("Ada Lovelace deleted", lambda: delete(1)))
        app.post_message(Do("Somebody deleted", lambda: delete(999)))
        await settle(pilot)
        assert any("Ada Lovelace is not there any more: deleted or merged." in s for s in said(app))
        assert any("There is no person with the number 999." in one for one in said(app))
        assert not any("crmmail" in one for one in said(app))


def test_a_step_that_fails_says_why_although_one_before_it_stays() -> None:
    def fails() -> None:
        with steps(("job", cannot), ("phone", lambda: None)):
            raise FieldError("addresses", "The address is Bob's.", "Merge them.")

    with pytest.raises(FieldError, match="The address is Bob's") as caught:
        fails()
    assert caught.value.hint == (
        "Merge them. Not all of what was stored before that could be taken back. "
        "Undone: phone. Not any more: job (It was changed since)."
    )
