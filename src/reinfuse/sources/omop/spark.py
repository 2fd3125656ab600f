"""A cluster of Spark by Spark Connect: its tables as Ibis expressions, whose SQL it runs; nothing is written there."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

_RETRIES = 4
"""Of the first call, if no server answers: some seconds, where Spark's own 15 retries take ten minutes."""


class SparkConnection:
    """A session of its own on a server of Spark Connect.

    Parameters
    ----------
    url
        ``sc://HOST:PORT/;token=...``, as Spark writes it; without a token, that of the environment variable
        ``SPARK_CONNECT_AUTHENTICATE_TOKEN``.
    """

    def __init__(self, url: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas 3, through which no row goes here
            from pyspark.sql.connect.client.retries import DefaultPolicy
            from pyspark.sql.connect.session import SparkSession

            self._session = SparkSession(connection=url)
        client = self._session.client
        client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
        try:
            self._session.conf.set("spark.sql.session.timeZone", "UTC")
        except Exception:
            self.disconnect()  # a session that is left would keep the process from ending
            raise
        client.set_retry_policies([DefaultPolicy()])

    def list_tables(self, *, database: str | None = None) -> Sequence[str]:
        """Return the names of the tables and views of a database; None: of the default one."""
        within = f" IN {_quoted(database)}" if database else ""
        rows = self._session.sql(f"SHOW TABLES{within}").collect()
        return [row.tableName for row in rows if not row.isTemporary]

    def table(self, name: str, *, database: str | None = None) -> Any:
        """Return a table with its columns and their types."""
        import ibis

        place = _quoted(f"{database}.{name}" if database else name)
        columns = ibis.Schema.from_pyarrow(self._session.sql(f"SELECT * FROM {place} LIMIT 0").toArrow().schema)
        *catalog, schema = database.split(".") if database else [None]
        return ibis.table(columns, name=name, database=schema, catalog=catalog[0] if catalog else None)

    def to_pyarrow(self, expression: Any) -> Any:
        """Run an expression, and return its rows as a table of Arrow."""
        import ibis

        return self._session.sql(ibis.to_sql(expression, dialect="pyspark")).toArrow()

    def disconnect(self) -> None:
        """End the session, also where the server does not answer."""
        with suppress(Exception):
            self._session.stop()


def _quoted(place: str) -> str:
    """Return a name, or several with dots between, as Spark's SQL quotes it."""
    return ".".join(f"`{part.replace('`', '``')}`" for part in place.split("."))
