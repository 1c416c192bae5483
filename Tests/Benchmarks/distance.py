"""A database further away: a proxy that holds back each direction for half of the round trip."""

import asyncio
import threading

from harness.relay import free_port


class Distance:
    def __init__(self, database, milliseconds):
        self.half = milliseconds / 2000
        self.port = free_port()
        self.socket = (database.cluster.folder / "socket").resolve() / f".s.PGSQL.{database.cluster.port}"
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/{database.name}?sslmode=disable&gssencmode=disable"
        self.loop = asyncio.new_event_loop()

    def start(self):
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def _serve(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", self.port))
        self.loop.run_forever()

    async def _connected(self, near, back):
        far, forth = await asyncio.open_unix_connection(self.socket)
        await asyncio.gather(self._carry(near, forth), self._carry(far, back))

    async def _carry(self, source, sink):
        """Whatever comes leaves half a round trip later, and nothing is held up by what came before it."""
        waiting = asyncio.Queue()

        async def deliver():
            while (item := await waiting.get()) is not None:
                due, data = item
                await asyncio.sleep(due - self.loop.time())
                sink.write(data)
                await sink.drain()
            sink.close()

        delivery = asyncio.ensure_future(deliver())
        try:
            while data := await source.read(1 << 18):
                waiting.put_nowait((self.loop.time() + self.half, data))
        except ConnectionError:
            pass
        waiting.put_nowait(None)
        try:
            await delivery
        except ConnectionError:
            pass
