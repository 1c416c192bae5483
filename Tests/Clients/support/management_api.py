"""Stands in for the one call of the management API that the package makes when it repeats a change: which algorithm writes."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


@contextmanager
def management_api(database, ordered):
    """Serves /api/v3/connections for `database`, whose connection says that it writes `ordered` or merged."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = urlsplit(self.path).path == "/api/v3/connections" and self.headers["Authorization"] == "Bearer token"
            body = json.dumps({"results": [{"id": connection, "name": "store", "state": "IDLE", "features": {"poll_db_no_merge": ordered}}]})
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    connection = str(database.connection)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v3"
    finally:
        server.shutdown()
        server.server_close()
