-- Salesforce types as PostgreSQL types.
\set SHOW_CONTEXT never
SELECT type, length, hc_postgres_type(jsonb_build_object('name', 'F', 'type', type, 'length', length))
  FROM (VALUES (1, 'id', 18), (2, 'reference', 18), (3, 'string', 255), (4, 'string', 121), (5, 'string', 1300), (6, 'string', 0),
               (7, 'picklist', 255), (8, 'picklist', 40), (9, 'picklist', 10), (10, 'picklist', 3), (11, 'combobox', 255),
               (12, 'multipicklist', 4099), (13, 'textarea', 255), (14, 'textarea', 8000), (15, 'textarea', 32000),
               (16, 'textarea', 131072), (17, 'email', 80), (18, 'email', 128), (19, 'phone', 40), (20, 'url', 255), (21, 'url', 1024),
               (22, 'boolean', 0), (23, 'int', 0), (24, 'double', 0), (25, 'currency', 0), (26, 'percent', 0), (27, 'date', 0),
               (28, 'datetime', 0), (29, 'time', 0), (30, 'encryptedstring', 175), (31, 'anyType', 0)) AS cases(number, type, length)
 ORDER BY number;

SELECT hc_postgres_type('{"name": "Body", "type": "base64"}');
SELECT hc_postgres_type('{"name": "BillingAddress", "type": "address"}');
SELECT hc_postgres_type('{"name": "BillingAddress", "type": "address"}', regress_account());
SELECT hc_postgres_type('{"name": "Geolocation__c", "type": "location"}');
SELECT hc_postgres_type('{"name": "Odd__c", "type": "hologram"}');
