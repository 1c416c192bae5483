"""A database as an application of Heroku Connect has it: its role owns the database and what is in it, and is no superuser."""

from harness.cluster import Database

ROLE = "application"


class ApplicationDatabase(Database):
    """Spoken to as the application; `administrator` is the same database as its superuser."""

    def __init__(self, administrator):
        super().__init__(administrator.cluster, administrator.name)
        self.administrator = administrator

    @classmethod
    def create(cls, cluster):
        """A database with the extension and nothing else."""
        administrator = cluster.database(extension=False)
        if not administrator.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
            administrator.execute(f"CREATE ROLE {ROLE} LOGIN")
        administrator.execute(f"ALTER DATABASE {administrator.name} OWNER TO {ROLE}")
        administrator.execute("CREATE EXTENSION hc_sync CASCADE")
        return cls(administrator)

    @property
    def url(self):
        return self.administrator.url.replace("user=postgres", f"user={ROLE}")

    @property
    def connection(self):
        """The only connection to an org."""
        return self.value("SELECT id FROM public.hc_connection")

    def connect_org(self, capture="c", schema="salesforce"):
        """Makes a connection without an org behind it, its tables captured in C or by the portable functions."""
        connection = self.value("SELECT public.hc_connection_create(%s)", schema)
        self.execute("CALL public.hc_capture_mode(%s, %s)", connection, capture)
        return connection

    def drop(self):
        self.disconnect()
        self.administrator.drop()
