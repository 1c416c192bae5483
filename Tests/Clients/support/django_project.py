"""The Django project under test: what its settings.py would say, and how it is pointed at a database."""

import sys
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict

SETTINGS = {
    "SECRET_KEY": "of a test",
    "INSTALLED_APPS": ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.messages",
                       "django.contrib.admin", "heroku_connect", "store"],
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
                   "django.contrib.messages.middleware.MessageMiddleware"],
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages"]}}],
    "ROOT_URLCONF": "store.urls",
    "ALLOWED_HOSTS": ["testserver"],
    "USE_TZ": True,
    "TIME_ZONE": "Europe/Berlin",   # not UTC, so that a time that is taken for local time shows
    "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
    "DATABASES": {"default": {"ENGINE": "heroku_connect.db.backends.postgresql", "NAME": "none"}},
    "DATABASE_ROUTERS": ["heroku_connect.db.router.HerokuConnectRouter"],
    "HEROKU_CONNECT_APP_NAME": "store",
    "HEROKU_AUTH_TOKEN": "token",
}


@contextmanager
def without(module):
    """The package needs psycopg2, and Django would take psycopg 3, which the tests themselves use."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == module}
    sys.modules[module] = None
    try:
        yield
    finally:
        del sys.modules[module]
        sys.modules.update(kept)


def configure():
    """Once per process: settings, and the start of Django with every check of the project."""
    import django
    from django.conf import settings
    if settings.configured:
        return
    with without("psycopg"):
        settings.configure(**SETTINGS)
        django.setup()
        from django.core.management import call_command
        from django.db import connection
        assert connection.Database.__name__ == "psycopg2"
        call_command("check", fail_level="WARNING")


def use(database):
    """Points the project at a database."""
    configure()
    from django.db import connection
    connection.close()
    address = conninfo_to_dict(database.url)
    connection.settings_dict.update(NAME=address["dbname"], HOST=address["host"], PORT=address["port"], USER=address["user"])


def mapping_file():
    """What `makemappings` writes for the project."""
    configure()
    import json
    import tempfile
    from django.core.management import call_command
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        call_command("makemappings", output=file.name)
        return json.load(file)
