\echo Use "CREATE EXTENSION hc_sync VERSION 'portable'" to load this file. \quit

-- Nothing. ALTER EXTENSION hc_sync UPDATE comes next, and takes over what the portable bundle or Heroku Connect made.
