"""What a form does not take is refused beside its field, and nothing is stored."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
from crmmail.store import people
from crmmail.store.database import Store
from tests.screens.harness import press, settle, text
from tests.screens.test_destroying_keys import kept
from tests.screens.test_edit import write


@pytest.fixture
def app(sample_store: Store) -> CrmmailApp:
    return CrmmailApp(sample_store, sync=False)


@pytest.mark.parametrize(
    ("steps", "typed", "said"),
    [
        (4, "javascript:alert(1)", "is not a phone number"),
        (5, "javascript:alert(1)", "is not a link that crmmail keeps"),
        (5, "file:///etc/passwd", "is not a link that crmmail keeps"),
    ],
)
@pytest.mark.parametrize("key", ["e", "c"])
async def test_a_link_or_phone_that_may_start_something_is_refused_at_its_field(
    key: str, steps: int, typed: str, said: str, app: CrmmailApp
) -> None:
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await settle(pilot)
        before = {one: people.get(app.store.read(), one) for one in people.view(app.store.read())}
        await press(pilot, key)
        await write(pilot, "Grace Hopper")
        await press(pilot, *["tab"] * steps)
        await write(pilot, typed)
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, FormScreen)
        assert said in " ".join(text(app).split())
        assert typed in text(app)
        db = app.store.read()
        changed = {one: people.get(db, one) for one in people.view(db)}
        assert {one.phone + one.links for one in changed.values() if one} == {""}
        assert changed.keys() == before.keys()


@pytest.mark.parametrize(
    ("keys", "more", "said"),
    [
        ("1", "This is pasted", "is not an"),
        ("2", "Inc and so on", "is not a domain."),
    ],
)
async def test_text_behind_an_address_or_a_domain_is_refused_beside_its_field(
    app: CrmmailApp, keys: str, more: str, said: str
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        before = kept(app.store)
        await press(pilot, keys, "e", "tab", *more, "ctrl+s")
        assert isinstance(app.screen, FormScreen)
        assert said in text(app)
        assert kept(app.store) == before
