"""Two people who never saw the program, from the README's first command to a first message.

They do only what a screen says: a key is pressed, a button taken, a field filled only when its name
is on the screen. `python -m tests.newcomer DIRECTORY` keeps every screen on the way as a picture.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.terminal import TMUX, Terminal, end_embedded_relay
from tests.integration.terminal_picture import Cell, picture, read
from tests.painting import missing_packages

README = Path(__file__).parent.parent / "README.md"
SIZE = (100, 26)
QUIET_S = 0.7
"""How long nothing may change before a picture is taken."""
PASSPHRASE = "느린 고래가 달력을 접는 오후"
SETTLED_S = 0.2
"""How long nothing may move before somebody aims at it."""
PATIENCE_S = 20.0
"""How long they look for what they want to use."""
LONGEST_HELP = 40
"""Rows that a reader of help scrolls through."""
KEYS = {"Enter": "Enter", "Esc": "Escape", "Tab": "Tab", "Delete": "DC", "Down": "Down"}
"""How tmux calls keys that have names."""

Keep = Callable[["Newcomer", str], None]


class NotNamedError(AssertionError):
    """Nothing on the screen names what was to be used."""


class Newcomer:
    """A person at a terminal who uses nothing that the screen does not name."""

    def __init__(self, name: str, home: Path, socket: str) -> None:
        """Sit down and enter the README's first command.

        Args:
            name: How they call themselves.
            home: Their empty home directory.
            socket: For their tmux.
        """
        self.name = name
        self.home = home
        self.patience_s = PATIENCE_S
        self._learned: set[str] = set()
        kept = {key: os.environ[key] for key in ("PATH", "TMUX_TMPDIR") if key in os.environ}
        environment = {
            **kept,
            "HOME": str(home),
            "LANG": "ko_KR.UTF-8",
            "TZ": "Asia/Seoul",
            "COLORTERM": "truecolor",
            "TEXTUAL_ANIMATIONS": "none",
        }
        self.terminal = Terminal(
            socket, *SIZE, program=command(), environment=environment, kind="tmux-256color"
        )

    def take_copies(self) -> None:
        """Let what the program copies reach the clipboard."""
        self.terminal.tmux("set-option", "-s", "set-clipboard", "on")

    @property
    def screen(self) -> str:
        """What they see."""
        return self.terminal.screen

    def sees(self, wanted: str | Callable[[str], object]) -> str:
        """Return the screen as soon as it says something."""
        return self.terminal.wait_for(wanted)

    # What they do

    def press(self, key: str) -> None:
        """Press a key that the screen names, or that help named before.

        Args:
            key: As it is printed on keyboards: `F3`, `Ctrl+N`, `C`.

        Raises:
            NotNamedError: It doesn't.
        """
        if key not in self._learned:
            self._named(key, lambda screen: names_key(screen, key))
        letter = key.removeprefix("Ctrl+").lower()
        self.terminal.press(f"C-{letter}" if key.startswith("Ctrl+") else KEYS.get(key, letter))

    def press_for(self, words: str) -> None:
        """Press the key that the line of keys gives for something.

        Raises:
            NotNamedError: It gives none.
        """
        self._named(words, lambda screen: key_for(screen, words))
        self.press(key_for(self.screen, words))

    def press_button(self, label: str) -> None:
        """Press Enter on the button that has the focus, after Tab if help named that.

        Raises:
            NotNamedError: No such button, or it can't be reached.
        """
        self._on_screen(label)
        self.terminal.wait_for_quiet(SETTLED_S)
        before: set[str] = set()
        while not self._focused(label):
            colored = self.terminal.colored
            if colored in before:
                raise NotNamedError(f"the focus never came to {label}:\n{self.screen}")
            before.add(colored)
            self.press("Tab")
            self.sees(self._other_than(colored))
            self.terminal.wait_for_quiet(SETTLED_S)
        self.terminal.press("Enter")

    def click(self, label: str) -> None:
        """Click on a button or a choice.

        Raises:
            NotNamedError: The screen doesn't show it.
        """
        self._on_screen(label)
        self.terminal.wait_for_quiet(SETTLED_S)
        row, cells = self._on_screen(label)[-1]
        self.terminal.click(cells[0].column, row)

    def type(self, text: str, asked: str) -> None:
        """Type into the field with the cursor.

        Args:
            text: What.
            asked: What the screen says to fill in.

        Raises:
            NotNamedError: The screen doesn't ask for it.
        """
        self._asks(asked)
        self.terminal.type(text)

    def paste(self, text: str, asked: str) -> None:
        """Paste into the field with the cursor; see `type`."""
        self._asks(asked)
        self.terminal.paste(text)

    def read_help(self, wanted: str) -> None:
        """Read the keys in help as far as one of them, and remember what was read."""
        self.press_for("도움말")
        self.sees("어디서나")
        for _ in range(LONGEST_HELP):
            self._learned |= {key for key in KEYS if names_key(self.screen, key)}
            if wanted in self._learned:
                return
            self.press("Down")
            self.terminal.wait_for_quiet(SETTLED_S)
        raise NotNamedError(f"help does not name {wanted}:\n{self.screen}")

    # How they find it

    def _other_than(self, colored: str) -> Callable[[str], bool]:
        return lambda _: self.terminal.colored != colored

    def _named(self, what: str, test: Callable[[str], object]) -> None:
        """Look for something on the screen for as long as people look."""
        try:
            self.terminal.wait_for(test, self.patience_s)
        except AssertionError as error:
            raise NotNamedError(f"{what} is not on the screen:\n{self.screen}") from error

    def _asks(self, asked: str) -> None:
        self._named(asked, lambda screen: asked in screen)

    def _on_screen(self, label: str) -> list[tuple[int, list[Cell]]]:
        self._named(label, lambda _: self._places(label))
        return self._places(label)

    def _places(self, label: str) -> list[tuple[int, list[Cell]]]:
        return list(places(self.terminal.colored, label))

    def _focused(self, label: str) -> bool:
        """Tell whether a button stands out: bold on a ground of its own."""
        return any(
            all(cell.style.bold and cell.style.back for cell in cells if cell.cluster != " ")
            for _, cells in self._places(label)
        )


def command() -> list[str]:
    """Return the program that the README's first command ends with, as it is installed here."""
    block = re.search(r"```sh\n(.*?)\n```", README.read_text(), re.DOTALL)
    assert block is not None
    program, *arguments = block[1].rsplit("&&", 1)[-1].split()
    return [str(Path(sysconfig.get_path("scripts"), Path(program).name)), *arguments]


def names_key(screen: str, key: str) -> bool:
    """Tell whether a screen names a key; a single letter counts only in the line of keys."""
    text = screen.rstrip().rsplit("\n", 1)[-1] if len(key) == 1 else screen
    return re.search(rf"(?<![A-Za-z0-9+]){re.escape(key)}(?![A-Za-z0-9+])", text) is not None


def key_for(screen: str, words: str) -> str:
    """Return the key that the line of keys gives for something; empty if it gives none."""
    line = screen.rstrip().rsplit("\n", 1)[-1].strip()
    entries = (entry.partition(" ") for entry in re.split(r"\s{3,}", line))
    return next((key for key, _, description in entries if description == words), "")


def places(captured: str, label: str) -> Iterator[tuple[int, list[Cell]]]:
    """Yield where a label stands on its own, as row and cells."""
    for number, row in enumerate(read(captured)):
        text = "".join(cell.cluster for cell in row)
        starts = [0]
        for cell in row:
            starts.append(starts[-1] + len(cell.cluster))
        for match in re.finditer(rf"(?<!\S){re.escape(label)}(?!\S)", text):
            yield number, row[starts.index(match.start()) : starts.index(match.end())]


# The way


def first_run(person: Newcomer, keep: Keep, prefix: str = "") -> None:
    """Go through the first steps as far as the relay, taking what is proposed."""
    person.sees("어떤 언어로 쓸까요?")
    keep(person, f"{prefix}language")
    person.press("Enter")
    person.sees("암호문구를 정하세요")
    person.type(PASSPHRASE, asked="여러 낱말로 된 비밀번호")
    dots = "•" * len(PASSPHRASE)
    person.sees(dots)
    person.press("Enter")
    person.type(PASSPHRASE, asked="한 번 더 똑같이")
    person.sees(lambda screen: screen.count(dots) == 2)
    keep(person, f"{prefix}passphrase")
    person.press("Enter")
    person.sees("연락처에 어떤 이름으로 보일까요?")
    person.type(person.name, asked="이름")
    person.sees(person.name)
    keep(person, f"{prefix}name")
    person.press("Enter")
    person.sees("메시지를 어디에 맡길까요?")


def invite(person: Newcomer, keep: Keep) -> str:
    """Start with an own relay and invite; return the link that was copied."""
    keep(person, "relay")
    person.press("Enter")
    person.sees("망명을 환영합니다")
    person.sees("Ctrl+N")
    keep(person, "welcome")
    person.press("Ctrl+N")
    person.sees("바로 열려요")
    keep(person, "invite")
    person.press_button("링크 복사")
    person.sees("복사했어요")
    keep(person, "link-copied")
    return person.terminal.clipboard


def join(person: Newcomer, link: str, keep: Keep) -> None:
    """Start with the link, which brings its relay, as far as the conversation."""
    person.click("초대 링크를 받았어요")
    person.sees("exile:...")
    person.press("Enter")
    person.sees(lambda screen: "exile:..." in screen.splitlines()[person.terminal.cursor[1]])
    person.paste(link, asked="exile:...")
    person.sees(link[-20:])
    keep(person, "friend-link")
    person.click("시작하기")
    person.sees("망명을 환영합니다")
    keep(person, "friend-welcome")
    person.press_button("대화로 가기")
    person.sees("수락 기다리는 중")
    keep(person, "friend-waiting")


def accept(person: Newcomer, friend: str, keep: Keep) -> None:
    """Notice the request, accept it, open the conversation."""
    person.sees("연락처 요청이 왔어요")
    keep(person, "request-told")
    person.press("F2")
    person.sees(friend)
    person.sees("수락")
    keep(person, "request")
    person.press_for("수락")
    person.sees("검증 안 됨")
    keep(person, "accepted")
    person.press("Enter")
    person.sees("메시지를 쓰세")


def compare(person: Newcomer) -> list[str]:
    """Open the safety number; return its groups of digits."""
    person.press_for("안전 번호")
    screen = person.sees(lambda screen: len(digits(screen)) == 12)
    return digits(screen)


def digits(screen: str) -> list[str]:
    """Return the groups of five digits on a screen."""
    return re.findall(r"(?<!\d)\d{5}(?!\d)", screen)


def verify_by_picture(person: Newcomer, friend: Newcomer, keep: Keep) -> None:
    """Photograph the friend's screen and let the program read the code, without a mouse."""
    photograph = "~/사진.png"
    friend.terminal.wait_for_quiet(QUIET_S)
    picture(friend.terminal, letters=False).save(person.home / "사진.png")
    keep(person, "safety-number")
    person.read_help("Tab")
    keep(person, "help")
    person.press("Esc")
    person.sees("카메라나 그림으로 확인")
    person.press_button("카메라나 그림으로 확인")
    person.sees("그림")
    person.type(photograph, asked="그림")
    person.sees(photograph)
    keep(person, "safety-number-picture")
    person.press_button("확인")
    person.sees("✔ 검증됨")
    keep(person, "verified")


def verify_by_digits(person: Newcomer, keep: Keep) -> None:
    """Say that the numbers are the same, with the mouse."""
    keep(person, "friend-safety-number")
    person.click("같아요")
    person.sees("✔ 검증됨")
    keep(person, "friend-verified")


def talk(person: Newcomer, friend: Newcomer, keep: Keep) -> None:
    """Write the first message and get an answer."""
    for each in (person, friend):
        each.press("Esc")
        each.sees("메시지를 쓰세")
        each.sees("✔ 검증됨")
    keep(person, "conversation")
    write(person, "안녕하세요! 여기서는 마음 놓고 이야기해요.")
    friend.sees("마음 놓고 이야기해요.")
    write(friend, "반가워요. 번호가 같아서 정말 하늘 님인 줄 알았어요 👋")
    person.sees("하늘 님인 줄")
    person.sees("전달됨")
    keep(person, "first-message")
    keep(friend, "friend-first-message")


def write(person: Newcomer, text: str) -> None:
    """Write a message and send it."""
    person.type(text, asked="메시지를 쓰세")
    person.sees(text[-6:])
    person.press("Enter")
    person.sees("메시지를 쓰세")


def walk(directory: Path, keep: Keep) -> None:
    """Let two newcomers meet.

    Args:
        directory: Empty; their homes are made in it.
        keep: Called on every screen with the person and the screen's name.
    """
    people: list[Newcomer] = []
    with cleaned(directory, people):
        for number, name in enumerate(("김하늘", "박서준")):
            home = directory / str(number)
            home.mkdir()
            socket = f"exile-newcomer-{os.getpid()}-{number}"
            people.append(Newcomer(name, home, socket))
            people[-1].take_copies()
        haneul, seojun = people
        first_run(haneul, keep)
        link = invite(haneul, keep)
        first_run(seojun, lambda *_: None)
        join(seojun, link, keep)
        accept(haneul, seojun.name, keep)
        seojun.sees(haneul.name)
        seojun.press("Enter")
        seojun.sees("메시지를 쓰세")
        keep(haneul, "conversation-empty")
        assert compare(haneul) == compare(seojun)
        verify_by_picture(haneul, seojun, keep)
        verify_by_digits(seojun, keep)
        talk(haneul, seojun, keep)


@contextmanager
def cleaned(directory: Path, people: list[Newcomer]) -> Iterator[None]:
    """End every program that was started, whatever happens."""
    try:
        yield
    finally:
        for person in people:
            person.terminal.close()
        for data in directory.glob("*/.local/share/exile-tui"):
            end_embedded_relay(data)


def main(arguments: list[str]) -> int:
    """Keep the pictures in a directory in place of those that are there."""
    if len(arguments) != 1:
        print("python -m tests.newcomer DIRECTORY", file=sys.stderr)
        return 2
    missing = [*missing_packages(), *([] if TMUX else ["tmux"])]
    if missing:
        print(f"Needed and absent: the Debian packages {', '.join(missing)}.", file=sys.stderr)
        return 1
    target = Path(arguments[0])
    with tempfile.TemporaryDirectory(prefix="exile-newcomer-") as temporary:
        pictures = Path(temporary, "pictures")
        pictures.mkdir()

        def keep(person: Newcomer, name: str) -> None:
            person.terminal.wait_for_quiet(QUIET_S)
            number = sum(1 for _ in pictures.iterdir()) + 1
            picture(person.terminal).save(pictures / f"{number:02d}-{name}.png")
            print(f"{number:02d}-{name}")

        homes = Path(temporary, "homes")
        homes.mkdir()
        walk(homes, keep)
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("[0-9][0-9]-*.png"):
            old.unlink()
        for new in pictures.iterdir():
            shutil.copy(new, target)
    return 0


if __name__ == "__main__":
    # Whoever ends this ends what it started, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    raise SystemExit(main(sys.argv[1:]))
