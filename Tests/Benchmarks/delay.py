"""A proxy for PostgreSQL's protocol that adds a delay to each round trip."""

import queue
import socket
import threading
import time

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Delay:
    """Passes on what clients send `seconds` later, and what the server answers at once. Bytes stay in order, and do not wait for each other."""

    def __init__(self, url, seconds):
        self.seconds = seconds
        self.target = conninfo_to_dict(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = make_conninfo(url, host="127.0.0.1", port=self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _connect(self):
        host, port = self.target["host"], int(self.target.get("port", 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = self._connect()
            late = queue.SimpleQueue()
            threading.Thread(target=self._read, args=(client, late), daemon=True).start()
            threading.Thread(target=self._write_late, args=(server, late), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client), daemon=True).start()

    def _read(self, client, late):
        while data := self._received(client):
            late.put((time.monotonic() + self.seconds, data))
        late.put((0, b""))

    def _write_late(self, server, late):
        while True:
            due, data = late.get()
            if not data:
                server.close()
                return
            time.sleep(max(0, due - time.monotonic()))
            server.sendall(data)

    def _pass(self, server, client):
        while data := self._received(server):
            client.sendall(data)
        client.close()

    @staticmethod
    def _received(end):
        try:
            return end.recv(1 << 18)
        except OSError:
            return b""
