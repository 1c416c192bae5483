"""A client that puts on the wire what node-postgres, PDO's emulation and their like put there.

Statements without parameters go as simple queries, several in one string; with parameters as an unnamed prepared statement whose
parameters are text of no declared type, so that the server finds the types; every value comes back as text.
"""

from psycopg import pq


class PlainClient:
    def __init__(self, url):
        self.connection = pq.PGconn.connect(url.encode())
        assert self.connection.status == pq.ConnStatus.OK, self.connection.error_message

    def query(self, statement, values=None, name=None):
        """The rows as dictionaries, or the number of rows that were written; `name` prepares the statement under it first."""
        if values is None:
            result = self.connection.exec_(statement.encode())
        else:
            texts = [None if value is None else str(value).encode() for value in values]
            if name:
                self._check(self.connection.prepare(name.encode(), statement.encode()))
                result = self.connection.exec_prepared(name.encode(), texts)
            else:
                result = self.connection.exec_params(statement.encode(), texts)
        self._check(result)
        if result.status != pq.ExecStatus.TUPLES_OK:
            return result.command_tuples
        names = [result.fname(column).decode() for column in range(result.nfields)]
        return [{name: None if (value := result.get_value(row, column)) is None else value.decode() for column, name in enumerate(names)}
                for row in range(result.ntuples)]

    def _check(self, result):
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise RuntimeError(result.error_message.decode())

    def close(self):
        self.connection.finish()
