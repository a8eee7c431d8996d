"""A real IMAP server in this process, on a free loopback port, holding the sample mailbox.

Needs pymap, which comes with the extra `demo`: import this module only where that is there.
"""

from __future__ import annotations

import asyncio
import threading
from argparse import Namespace
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self
from weakref import WeakSet

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Login
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from crmmail.demo.sample import SampleMessage

HOST = "127.0.0.1"


class _Config(Config):
    """pymap's settings, without the name look-up that its greeting makes: demos run offline."""

    @property
    def greeting(self) -> bytes:
        """What the server says first."""
        return b"The demo's mailbox"


class _WholeResponses:
    """A StreamWriter that sends a response in one piece, where pymap writes it in many.

    imapclient's idle_check() takes half a line for a broken connection.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def write(self, data: bytes) -> None:
        self._pieces.append(bytes(data))

    def writelines(self, data: Iterable[bytes]) -> None:
        self._pieces.extend(data)

    async def drain(self) -> None:
        self._writer.write(b"".join(self._pieces))
        self._pieces.clear()
        await self._writer.drain()


class Server:
    """pymap with its in-memory mailbox, in a daemon thread with an event loop of its own."""

    def __init__(self, user: str, password: str, messages: Iterable[SampleMessage]) -> None:
        self.host, self.port = HOST, 0
        self.user, self.password = user, password
        self._messages = messages
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self._problem: BaseException | None = None
        self._mailboxes: Any = None
        self._thread = threading.Thread(target=self._run, name="demo-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._problem is not None:
            raise self._problem
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the server has ended by itself
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(timeout=2)

    def deliver(self, message: SampleMessage) -> None:
        """Put a message into its folder now; a client that idles there hears of it."""
        asyncio.run_coroutine_threadsafe(self._append(message), self._loop).result(timeout=60)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as problem:
            self._problem = problem
        finally:
            self._loop.close()
            self._ready.set()

    async def _serve(self) -> None:
        config = _Config.from_args(_arguments(self.user, self.password), hash_context=Cleartext())
        config.apply_context()
        login = Login(config)
        owner = login.demo_user_identity
        await owner.set(UserMetadata(config, self.user, password=self.password))
        async with owner.new_session() as session:
            self._mailboxes = session.mailbox_set
        await self._fill()
        serve = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))

        writers = WeakSet[asyncio.StreamWriter]()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            whole: Any = _WholeResponses(writer)
            writers.add(writer)
            await serve(reader, whole)

        server = await asyncio.start_server(connected, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()  # without wait_closed(): since Python 3.12 that waits for every client
        await _cancel_the_rest()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)  # their sockets close in the next round

    async def _fill(self) -> None:
        known = {"INBOX"}
        for message in self._messages:
            if message.folder not in known:
                known.add(message.folder)
                await self._mailboxes.add_mailbox(message.folder)
            await self._append(message)

    async def _append(self, message: SampleMessage) -> None:
        flags = frozenset(Flag(flag.encode()) for flag in message.flags)
        folder = await self._mailboxes.get_mailbox(message.folder)
        await folder.append(AppendMessage(message.raw, message.internaldate, flags), recent=True)


async def _cancel_the_rest() -> None:
    """End the connections that are still open."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _arguments(user: str, password: str) -> Namespace:
    """What pymap's command line would have said."""
    return Namespace(
        host=HOST,
        port=0,
        debug=False,
        cert=None,
        key=None,
        tls=False,
        passlib_cfg=None,
        proxy_protocol=None,
        demo_data=False,
        demo_user=user,
        demo_password=password,
    )
