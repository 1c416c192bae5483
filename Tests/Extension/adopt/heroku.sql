-- What Heroku Connect makes in a database, in the spellings of its generations: guard, log, loggers, status functions, triggers.
-- The fixtures beside this file make whole schemas with it. hstore is wherever it is; Heroku's bodies find it by the search_path.
CREATE SCHEMA heroku;

-- Only where the database has none: in a database of ours it is there.
CREATE FUNCTION heroku.guard() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regprocedure('public.get_xmlbinary()') IS NULL THEN
        CREATE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE plpgsql AS $body$
            DECLARE xmlbin varchar;
            BEGIN
                select into xmlbin setting from pg_settings where name='xmlbinary';
                RETURN xmlbin;
            END $body$;
    END IF;
END $$;

CREATE FUNCTION heroku.log_columns() RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY['txid bigint', 'created_at timestamp with time zone DEFAULT now()', 'updated_at timestamp with time zone DEFAULT now()',
                 'processed_at timestamp with time zone', 'processed_tx bigint', 'state character varying(8)', 'action character varying(7)',
                 'table_name character varying(128)', 'record_id integer', 'sfid character varying(18)', 'old text', '"values" text', 'sf_result integer', 'sf_message text']
$$;

-- canonical: the order of 2019; otherwise the arbitrary order of a schema made before 2017.
CREATE FUNCTION heroku.log(schema name, canonical boolean DEFAULT true, archive boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    columns text := (SELECT string_agg(c, ', ' ORDER BY CASE WHEN canonical THEN lpad(n::text, 3, '0') ELSE md5(c) END)
                       FROM unnest('{id serial}'::text[] || heroku.log_columns()) WITH ORDINALITY AS t(c, n));
    archived text := (SELECT string_agg(split_part(c, ' DEFAULT', 1), ', ' ORDER BY CASE WHEN canonical THEN lpad(n::text, 3, '0') ELSE md5(c || 'a') END)
                        FROM unnest('{id integer NOT NULL}'::text[] || heroku.log_columns()) WITH ORDINALITY AS t(c, n));
BEGIN
    PERFORM heroku.guard();
    EXECUTE format($ddl$
CREATE SCHEMA %1$I;
CREATE TABLE %1$I._hcmeta (id serial CONSTRAINT _hcmeta_pkey PRIMARY KEY, hcver integer, org_id character varying(50), details text);
INSERT INTO %1$I._hcmeta (hcver, org_id, details) VALUES (14, '00Dxx0000001gPLEAY', '{}');
CREATE TABLE %1$I._trigger_log (%2$s, CONSTRAINT _trigger_log_pkey PRIMARY KEY (id));
CREATE INDEX _trigger_log_idx_created_at ON %1$I._trigger_log (created_at);
CREATE INDEX _trigger_log_idx_state_id ON %1$I._trigger_log (state, id);
CREATE INDEX _trigger_log_idx_state_table_name ON %1$I._trigger_log (state, table_name) WHERE state = 'NEW' OR state = 'PENDING';
CREATE FUNCTION %1$I.tlog_notify_trigger() RETURNS trigger LANGUAGE plpgsql AS $body$
                -- VERSION 1 --
                BEGIN
                  PERFORM pg_notify('%1$s.hc_trigger_log', 'ping');
                  RETURN new;
                END;
            $body$;
CREATE TRIGGER tlog_insert_trigger AFTER INSERT ON %1$I._trigger_log FOR EACH ROW EXECUTE PROCEDURE %1$I.tlog_notify_trigger();
$ddl$, schema, columns);
    IF archive THEN
        EXECUTE format($ddl$
CREATE TABLE %1$I._sf_event_log (id serial CONSTRAINT _sf_event_log_pkey PRIMARY KEY, table_name character varying(128), action character varying(7),
    synced_at timestamp with time zone DEFAULT now(), sf_timestamp timestamp with time zone, sfid character varying(20), record text, processed boolean);
CREATE TABLE %1$I._trigger_log_archive (%2$s, CONSTRAINT _trigger_log_archive_pkey PRIMARY KEY (id));
CREATE INDEX _trigger_log_archive_idx_created_at ON %1$I._trigger_log_archive (created_at);
CREATE INDEX _trigger_log_archive_idx_record_id ON %1$I._trigger_log_archive (record_id);
CREATE INDEX _trigger_log_archive_idx_state_table_name ON %1$I._trigger_log_archive (state, table_name) WHERE state = 'FAILED';
$ddl$, schema, archived);
    ELSE
        EXECUTE format('CREATE TABLE %I._trigger_last_id (trigger_log_id integer); INSERT INTO %1$I._trigger_last_id VALUES (0)', schema);
    END IF;
END $$;

-- qualified: the WHEN clause of 2018 and later names public; it is printed unqualified by a database whose search_path has public.
CREATE FUNCTION heroku.triggers(schema name, table_name name, access text DEFAULT 'read_write', log_trigger boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    logger name := left('hc_' || table_name || '_logger', 63);
    status name := left('hc_' || table_name || '_status', 63);
BEGIN
    EXECUTE format($ddl$
CREATE FUNCTION %1$I.%2$I() RETURNS trigger LANGUAGE plpgsql AS $body$
        -- VERSION 4 --
        DECLARE
            trigger_row %1$I."_trigger_log";
            excluded_cols text[] = ARRAY['_hc_lastop', '_hc_err']::text[];
        BEGIN
            trigger_row = ROW();
            trigger_row.id = nextval('%1$I."_trigger_log_id_seq"');
            trigger_row.action = TG_OP::text;
            trigger_row.table_name = TG_TABLE_NAME::text;
            trigger_row.txid = txid_current();
            trigger_row.created_at = clock_timestamp();
            trigger_row.state = '%3$s';
            IF (TG_OP = 'DELETE') THEN
                trigger_row.record_id = OLD.id;
                trigger_row.old = hstore(OLD.*) - excluded_cols;
                IF (OLD.sfid IS NOT NULL) THEN
                    trigger_row.sfid = OLD.sfid;
                %4$s
                END IF;
            ELSEIF (TG_OP = 'INSERT') THEN
                trigger_row.record_id = NEW.id;
                trigger_row.values = hstore(NEW.*) - excluded_cols;
            ELSEIF (TG_OP = 'UPDATE') THEN
                trigger_row.record_id = NEW.id;
                trigger_row.old = hstore(OLD.*) - excluded_cols;
                trigger_row.values = (hstore(NEW.*) - hstore(trigger_row.old)) - excluded_cols;
                %5$s
                IF (OLD.sfid IS NOT NULL) THEN
                    trigger_row.sfid = OLD.sfid;
                END IF;
            END IF;
            INSERT INTO %1$I."_trigger_log" VALUES (trigger_row.*);
            RETURN NULL;
        END;
        $body$;
CREATE FUNCTION %1$I.%6$I() RETURNS trigger LANGUAGE plpgsql AS $body$
                    BEGIN
                        IF (get_xmlbinary() = 'base64') THEN  -- user op
                            NEW._hc_lastop = 'PENDING';
                            NEW._hc_err = NULL;
                            RETURN NEW;
                        ELSE  -- connect op
                            IF (TG_OP = 'UPDATE' AND NEW._hc_lastop IS NOT NULL AND NEW._hc_lastop != OLD._hc_lastop) THEN
                                RETURN NEW;
                            END IF;
                            NEW._hc_lastop = 'SYNCED';
                            NEW._hc_err = NULL;
                            RETURN NEW;
                        END IF;
                    END;
                $body$;
CREATE TRIGGER %7$I BEFORE INSERT OR UPDATE ON %1$I.%8$I FOR EACH ROW EXECUTE PROCEDURE %1$I.%6$I();
$ddl$, schema, logger, CASE access WHEN 'read_write' THEN 'NEW' ELSE 'READONLY' END,
       CASE access WHEN 'read_write' THEN 'ELSE trigger_row.state = ''IGNORE'';' ELSE '' END,
       CASE access WHEN 'read_write' THEN 'IF (trigger_row.values = '''') THEN trigger_row.state = ''IGNORE''; END IF;' ELSE '' END,
       status, left('hc_' || table_name || '_status_trigger', 63), table_name);
    IF log_trigger THEN
        EXECUTE format($ddl$
CREATE TRIGGER %3$I AFTER INSERT OR DELETE OR UPDATE ON %1$I.%4$I FOR EACH ROW WHEN (((public.get_xmlbinary())::text = 'base64'::text)) EXECUTE PROCEDURE %1$I.%2$I();
$ddl$, schema, logger, left('hc_' || table_name || '_logtrigger', 63), table_name);
    END IF;
END $$;

-- A row as Heroku Connect's own session writes it.
CREATE FUNCTION heroku.stamp(minutes integer) RETURNS timestamp LANGUAGE sql AS $$ SELECT (now() AT TIME ZONE 'UTC') - make_interval(mins => $1) $$;
