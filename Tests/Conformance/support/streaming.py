"""aiosfstream-ng, pointed at an org: an authenticator of its own, and a replay storage that also listens."""

import asyncio
import time

from aiosfstream_ng import Client
from aiosfstream_ng.auth import AuthenticatorBase
from aiosfstream_ng.replay import MappingStorage

from . import clients

PATIENCE = 30   # seconds for an event that must come
SILENCE = 1.5   # seconds in which an event that must not come would have come


class Authenticator(AuthenticatorBase):
    """Gives the session ids of the org. The client keeps no cookies of an IP address, so the address is that of localhost."""

    def __init__(self, org, host="localhost"):
        super().__init__()
        self.org = org
        self.address = org.url.replace("127.0.0.1", host)
        self.tokens = []

    async def _authenticate(self):
        self.tokens.append(await asyncio.to_thread(clients.token, self.org))
        return 200, {"access_token": self.tokens[-1], "token_type": "Bearer", "instance_url": self.address}


class Listener(MappingStorage):
    """A replay storage that also keeps what goes out and comes in: (seconds, messages, headers of the reply)."""

    def __init__(self, markers=None):
        super().__init__({} if markers is None else markers)
        self.sent = []
        self.came = []

    async def outgoing(self, payload, headers):
        await super().outgoing(payload, headers)
        self.sent.append((time.monotonic(), [dict(message) for message in payload], None))

    async def incoming(self, payload, headers=None):
        await super().incoming(payload, headers)
        self.came.append((time.monotonic(), [dict(message) for message in payload], headers))

    def replies(self, channel):
        """What came on a meta channel, in order."""
        return [message for _, payload, _ in self.came for message in payload if message["channel"] == channel]

    def requests(self, channel):
        return [message for _, payload, _ in self.sent for message in payload if message["channel"] == channel]


class Constant(Listener):
    """A listener that asks for the same replay id at each subscription: -1, -2, or the id of an event."""

    def __init__(self, replay_id):
        super().__init__()
        self.replay_id = replay_id

    async def get_replay_id(self, subscription):
        return self.replay_id


def client(org, storage, **options):
    return Client(Authenticator(org, **({"host": options.pop("host")} if "host" in options else {})), replay=storage, **options)


async def change(call, *arguments, **fields):
    """Calls the control without holding up the client's loop."""
    return await asyncio.to_thread(call, *arguments, **fields)


async def event(stream):
    """The next event."""
    return await asyncio.wait_for(stream.receive(), PATIENCE)


async def silence(stream):
    """That no event is waiting and none comes for a moment."""
    try:
        found = await asyncio.wait_for(stream.receive(), SILENCE)
    except asyncio.TimeoutError:
        return
    raise AssertionError(f"an event that must not come: {found}")


async def until(predicate, what):
    """Waits for something that the client or the org does by itself."""
    deadline = time.monotonic() + PATIENCE
    while not predicate():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        await asyncio.sleep(0.02)
