"""Other keys: which are taken, and which are refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exile_tui.ui.keymap import FIXED, Place, check, places, usual_keys

EVERYWHERE = places()


def refused(keys: dict[str, str]) -> list[str]:
    keymap, problems = check(keys)
    assert not any(name in keymap and keymap[name] == key for name, key in keys.items())
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("name", "key", "taken"),
    [
        ("app.invite", "ctrl+y", "ctrl+y"),
        ("app.invite", "F12", "f12"),
        ("app.invite", "f11, f12", "f11,f12"),
        ("app.lock", "ctrl+left", "ctrl+left"),
        ("invite.copy", "y", "y"),
        ("invite.copy", "?", "question_mark"),
        ("screen.back", "f10", "f10"),
        ("picker.next", "ctrl+n", "ctrl+n"),  # a panel lies above what the app has on that key
    ],
)
def test_a_key_is_taken(name: str, key: str, taken: str) -> None:
    keymap, problems = check({name: key})
    assert problems == []
    assert keymap[name] == taken


@pytest.mark.parametrize("key", ["alt+x", "ctrl+i", "ctrl+1", "hyper+f", "", "+a", "한", "ctrl+c",
                                 "ctrl+shift+a", "enter key", "f25", "ctrl+", "\x1b"])  # fmt: skip
def test_a_key_that_terminals_do_not_send_is_refused(key: str) -> None:
    (problem,) = refused({"app.invite": key})
    assert "no key" in problem


@pytest.mark.parametrize("key", ["x", "enter", "space", "tab", "shift+tab", "backspace", "left"])
def test_what_writes_and_moves_is_refused_where_somebody_may_write(key: str) -> None:
    (problem,) = refused({"app.quit": key})
    assert "writing" in problem


def test_an_unknown_name_and_a_fixed_one_are_refused() -> None:
    assert "nothing called" in refused({"app.nonesuch": "f12"})[0]
    for name in FIXED:
        assert "enter_sends" in refused({name: "f12"})[0]


@pytest.mark.parametrize(
    ("keys", "other"),
    [
        ({"app.invite": "ctrl+o"}, "app.join"),
        ({"chats.verify": "f2"}, "app.contacts"),
        ({"app.contacts": "f3"}, "verify"),
        ({"chats.search": "pageup"}, ""),
        ({"chats.search": "ctrl+up"}, "chats.previous"),
        ({"picker.next": "ctrl+q"}, "app.quit"),
        ({"app.invite": "f12", "app.join": "f12"}, "app."),
    ],
)
def test_two_on_one_key_in_one_place_are_refused(keys: dict[str, str], other: str) -> None:
    _, problems = check(keys)
    assert len(problems) == 1
    assert other in str(problems[0])


def test_two_may_change_places() -> None:
    keymap, problems = check({"app.invite": "ctrl+o", "app.join": "ctrl+n"})
    assert problems == []
    assert keymap == {"app.invite": "ctrl+o", "app.join": "ctrl+n"}


def test_what_shares_a_key_with_a_moved_one_keeps_it() -> None:
    """Textual takes a key from everything on it when one of them moves."""
    for place in EVERYWHERE:
        for key, bindings in place.bindings.items():
            names = {each.id for each in bindings if each.id} - set(FIXED)
            for name in names:
                keymap, problems = check({name: "f20"})
                assert problems == []
                for other in names - {name}:
                    assert key in keymap[other].split(",")


def working(keymap: dict[str, str], place: Place) -> dict[str, set[str]]:
    """Return the keys of each binding after Textual applied a keymap."""
    bindings = place.kind._merge_bindings()
    bindings.apply_keymap(keymap)
    found: dict[str, set[str]] = {}
    for key, binding in bindings:
        if binding.id:
            found.setdefault(binding.id, set()).add(key)
    return found


NAMES = sorted(usual_keys(EVERYWHERE))


@given(
    st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=4),
        st.sampled_from(
            [*(f"f{number}" for number in range(1, 26)), "ctrl+y", "ctrl+n", "ctrl+o", "escape"]
        )
        | st.text(max_size=6),
        max_size=5,
    )
)
def test_no_choice_of_keys_takes_a_command_away(keys: dict[str, str]) -> None:
    """Whatever the file says: everything has a key, and no two of a place the same new one."""
    keymap, problems = check(keys)
    assert len(problems) + len(keys.keys() & keymap.keys()) == len(keys)
    for place in EVERYWHERE:
        before = {binding.id for _, binding in place.ids() if binding.id}
        after = working(keymap, place)
        assert after.keys() == before
        moved = [after[name] for name in before & (keys.keys() & keymap.keys())]
        assert sum(map(len, moved)) == len(set().union(*moved))
