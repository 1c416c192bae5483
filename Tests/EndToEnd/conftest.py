"""What an end-to-end test can ask for.

    cluster     a throwaway PostgreSQL server with the extension installed; one for all tests
    database    a fresh database of it, with hc_sync                            harness/cluster.py
    org         a fresh simulated Salesforce org                                harness/organization.py
    relay       commands and process of a relay for `database` and `org`, not started yet     harness/relay.py
    connected   the same after `connection add`
    served      the same after it has loaded everything, sent a row and stopped              harness/served.py
    world       six related objects, mapped and served by one relay that lives through all tests       harness/world.py
    new_relay   makes further relays for the same database and org

Everything ends with the test, and with the test process however that ends. A failed test shows what its programs said.
"""

pytest_plugins = ["harness.fixtures"]
