"""Call the messenger without stalling a screen; failures meet in one place.

A screen never awaits a service in a handler. `load` is for reading: the newest call of a group
wins. `command` is for changing: calls of a group run one after the other and are never dropped.
Both live on the app, so a change goes through although its screen was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from exile_tui.errors import ExileError

if TYPE_CHECKING:
    from textual.message_pump import MessagePump
    from textual.worker import Worker

    from exile_tui.ui.app import ExileApp

Result = TypeVar("Result")
Call = Callable[[], Awaitable[Result]]
Then = Callable[[Result], object]
Failed = Callable[[ExileError], object]


class Services:
    """Run calls for one app."""

    def __init__(self, app: ExileApp) -> None:
        self._app = app
        self._turns: dict[str, asyncio.Lock] = {}

    def load(
        self,
        owner: MessagePump,
        group: str,
        call: Call[Result],
        then: Then[Result],
        failed: Failed | None = None,
    ) -> Worker[None]:
        """Read something; a newer call of the same owner and group replaces this one.

        What was read from a profile that was locked in the meantime, or is being locked, is shown
        to nobody.

        Args:
            owner: Whose queue `then` and `failed` run in; nothing runs once it is gone.
            group: What is read.
            call: Makes the awaitable; it is called in the worker.
            then: Gets the result.
            failed: Gets an `ExileError`; without it the app shows the error.
        """

        messenger = self._app.application.messenger

        def locked() -> bool:
            other = messenger is not None and self._app.application.messenger is not messenger
            return other or self._app.locking.under_way

        async def run() -> None:
            await self._attempt(owner, call, then, failed, locked)

        group = f"load:{id(owner)}:{group}"
        return self._app.run_worker(
            run, name=group, group=group, exclusive=True, exit_on_error=False
        )

    def command(
        self,
        owner: MessagePump,
        group: str,
        call: Call[Result],
        then: Then[Result] | None = None,
        failed: Failed | None = None,
    ) -> Worker[None]:
        """Change something; calls of a group take turns in the order they came.

        Args:
            owner: Whose queue `then` and `failed` run in; nothing runs once it is gone.
            group: What takes turns.
            call: Makes the awaitable; it is called in the worker.
            then: Gets the result.
            failed: Gets an `ExileError`; without it the app shows the error.
        """
        turn = self._turns.setdefault(group, asyncio.Lock())

        def hidden() -> bool:
            return owner is not self._app and self._app.locking.under_way

        async def run() -> None:
            async with turn:
                await self._attempt(owner, call, then, failed, hidden)

        group = f"command:{group}"
        return self._app.run_worker(
            run, name=group, group=group, exclusive=False, exit_on_error=False
        )

    async def _attempt(
        self,
        owner: MessagePump,
        call: Call[Result],
        then: Then[Result] | None,
        failed: Failed | None,
        stale: Callable[[], bool],
    ) -> None:
        def show(result: Result) -> object:
            return None if stale() or then is None else then(result)

        try:
            result = await call()
        except ExileError as error:
            if stale():
                return
            if failed is None or not owner.is_running:
                self._app.show_error(error)
            else:
                owner.call_later(failed, error)
        except Exception as error:
            if not stale():
                self._app.show_unexpected(error)
        else:
            if then is not None and owner.is_running:
                owner.call_later(show, result)
