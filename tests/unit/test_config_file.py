"""config.toml is changed line by line: nothing that a person wrote is lost."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exile_tui import config_file
from exile_tui.config import Settings, Source
from exile_tui.errors import UsageError

WRITTEN = """\
# How I like it.

lang = "ko"   # mother tongue
"theme"='hanji'
\tbell =   true

# Keys of my own
[keys]
"app.invite" = "ctrl+e"  # easy
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exile-tui" / "config.toml"


def written(file: Path, text: str = WRITTEN) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
    return file


def test_a_file_is_made_for_its_owner_only(file: Path) -> None:
    config_file.save({"lang": "ko", "bell": False, "auto_lock_minutes": 5}, file)
    assert file.read_text() == 'lang = "ko"\nbell = false\nauto_lock_minutes = 5\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"]


def test_lines_change_in_their_place(file: Path) -> None:
    config_file.save({"lang": "en", "theme": "dusk", "bell": False}, written(file))
    assert file.read_text() == (
        WRITTEN.replace('"ko"', '"en"').replace("'hanji'", '"dusk"').replace("true", "false")
    )


def test_a_new_line_comes_behind_the_others_and_before_the_tables(file: Path) -> None:
    config_file.save({"time_24h": True}, written(file))
    assert file.read_text() == WRITTEN.replace(
        "bell =   true\n", "bell =   true\ntime_24h = true\n"
    )


def test_a_line_comes_above_the_comment_of_the_first_table(file: Path) -> None:
    config_file.save({"bell": False}, written(file, '# Mine.\n\n# Keys\n[keys]\na = "f7"\n'))
    assert file.read_text() == '# Mine.\n\nbell = false\n\n# Keys\n[keys]\na = "f7"\n'
    config_file.save({"bell": True}, file)
    assert "bell = true\n\n# Keys" in file.read_text()


def test_the_ends_of_lines_and_a_link_stay_what_they_are(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_bytes(b'lang = "ko"\r\n# end')
    target.chmod(0o640)
    file.parent.mkdir()
    file.symlink_to(target)
    config_file.save({"lang": "en", "bell": True}, file)
    assert file.is_symlink()
    assert target.read_bytes() == b'lang = "en"\r\nbell = true\r\n# end'
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_value_that_is_there_already_touches_nothing(file: Path) -> None:
    before = config_file.stamp(written(file))
    config_file.save({"lang": "ko", "bell": True}, file)
    assert config_file.stamp(file) == before


@pytest.mark.parametrize(
    "text",
    [
        "lang = ",
        'lang = "ko"\nlang = "en"\n',
        'lang = """\nko"""\n',
        "theme = [\n  1,\n]\nlang = [1,\n2]\n",
        b"\xff",
        'lang.x = "ko"',
    ],
)
def test_a_file_that_can_not_be_changed_safely_is_left_alone(file: Path, text: str | bytes) -> None:
    file.parent.mkdir()
    content = text if isinstance(text, bytes) else text.encode()
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        config_file.save({"lang": "en"}, file)
    assert "config.toml" in str(caught.value)
    assert file.read_bytes() == content


def test_text_that_looks_like_a_line_is_not_taken_for_one(file: Path) -> None:
    text = 'profile = """\nlang = "ko"\n"""\n'
    with pytest.raises(UsageError):
        config_file.save({"lang": "en"}, written(file, text))
    assert file.read_text() == text


def test_what_somebody_else_wrote_meanwhile_is_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(file)
    replace, others = config_file._replace, ["theme = 'dusk'\n", "theme = 'dancheong'\n"]

    def interrupted(target: Path, content: bytes, before: config_file.Stamp) -> bool:
        if others:
            target.write_text(others.pop(0) + WRITTEN.replace("\"theme\"='hanji'\n", ""))
            os.utime(target, ns=(1, len(others)))
        return replace(target, content, before)

    monkeypatch.setattr(config_file, "_replace", interrupted)
    config_file.save({"lang": "en"}, file)
    assert tomllib.loads(file.read_text())["theme"] == "dancheong"
    assert tomllib.loads(file.read_text())["lang"] == "en"


def test_a_file_that_never_stands_still_is_an_error(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_file, "_replace", lambda *_: False)
    with pytest.raises(UsageError, match="keeps changing"):
        config_file.save({"lang": "en"}, written(file))


def test_a_disk_that_refuses_changes_nothing_and_leaves_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        config_file.save({"lang": "en"}, written(file))
    assert file.read_text() == WRITTEN
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"]


KEYS = st.sampled_from(["lang", "theme", "bell", "time_24h", "auto_lock_minutes", "x", "keys"])
VALUES = st.one_of(
    st.booleans().map(lambda value: str(value).lower()),
    st.integers(-5, 2000).map(str),
    st.text("ab\"'\\#=[]\n ", max_size=8).map(config_file._toml),
    st.sampled_from(['"""\nlang = 1\n"""', "[1, 2]", "{a = 1}", "1.5", "2026-01-01", "'#'"]),
)
LINES = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    st.sampled_from(["", "# lang = 1", "[keys]", "[[x]]", "  # c", '"app.x" = "f7"', "\t"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(LINES, max_size=12),
    ending=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    name=st.sampled_from(["lang", "theme", "bell", "auto_lock_minutes"]),
    value=st.one_of(st.booleans(), st.integers(0, 99), st.text("ab\"\\#'", max_size=6)),
)
def test_saving_changes_one_value_and_no_other_byte(
    file: Path, lines: list[str], ending: str, last: bool, name: str, value: str | bool | int
) -> None:
    content = (ending.join(lines) + (ending if last else "")).encode()
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    try:
        before = tomllib.loads(content.decode())
    except tomllib.TOMLDecodeError:
        before = None
    try:
        config_file.save({name: value}, file)
    except UsageError:
        assert file.read_bytes() == content
        return
    assert before is not None
    assert tomllib.loads(file.read_bytes().decode()) == {**before, name: value}
    old, new = (re.split("\r?\n", each.decode()) for each in (content, file.read_bytes()))
    comments = [line for line in old if line.lstrip().startswith("#")]
    assert [line for line in new if line.lstrip().startswith("#")] == comments
    missing = [line for line in old if line not in new]
    assert len(missing) <= 1
    assert all(name in line or not line for line in missing)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(LINES, max_size=10).map(lambda lines: "\n".join(lines).encode()),
        st.builds(
            lambda key, text: f"{key} = {config_file._toml(text)}".encode(),
            KEYS,
            st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20),
        ),
    )
)
def test_whatever_the_file_holds_is_settings_or_one_error(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    source = Source({}, {}, file)
    with suppress(UsageError):
        assert isinstance(source.load(), Settings)
    try:
        assert isinstance(source.begin(), Settings)
    except UsageError:
        # Only what may have been meant to set the proxy, the profile or its place.
        assert any(name in content for name in (b"proxy", b"profile", b"data_dir"))
