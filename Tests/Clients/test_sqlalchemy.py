"""SQLAlchemy, whose rule shortened Heroku Connect's index names, reflects our tables and maps them."""

from sqlalchemy import MetaData, create_engine, func, inspect, select
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session


def test_the_schema_is_reflected_and_mapped(schema):
    engine = create_engine(schema.url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        inspector = inspect(engine)
        log = {column["name"]: column for column in inspector.get_columns("_trigger_log", schema="salesforce")}
        assert log["id"]["autoincrement"] and str(log["state"]["type"]) == "VARCHAR(8)" and str(log["values"]["type"]) == "TEXT"
        indexes = {index["name"]: index for index in inspector.get_indexes("contact", schema="salesforce")}
        assert indexes["hcu_idx_contact_externalid__c"]["unique"] and indexes["hc_idx_contact_accountid"]["column_names"] == ["accountid"]
        assert inspector.get_pk_constraint("contact", schema="salesforce")["name"] == "contact_pkey"
        assert inspector.get_foreign_keys("contact", schema="salesforce") == []

        metadata = MetaData(schema="salesforce")
        metadata.reflect(engine, only=["contact", "_trigger_log"])
        base = automap_base(metadata=metadata)
        base.prepare()
        Contact, log = base.classes.contact, metadata.tables["salesforce._trigger_log"]
        with Session(engine) as session:
            session.add_all([Contact(lastname=f"Mapped {number}") for number in range(3)])   # one INSERT .. RETURNING for all
            session.commit()
            contact = session.scalars(select(Contact).where(Contact.lastname == "Mapped 0")).one()
            contact.phone = "1"
            session.flush()
            session.refresh(contact)
            assert contact._hc_lastop == "PENDING"
            session.delete(contact)
            session.commit()
            written = session.execute(select(log.c.action, func.count()).where(log.c.table_name == "contact").group_by(log.c.action)).all()
        assert dict(map(tuple, written)) == {"INSERT": 3, "UPDATE": 1, "DELETE": 1}
    finally:
        engine.dispose()
