"""Row 18, and the gaps of row 19: CometD, as aiosfstream-ng speaks it (wire reference 5)."""

import asyncio

import pytest
from aiosfstream_ng import ReplayOption
from aiosfstream_ng.exceptions import AuthenticationError, ServerError

from support import clients
from support.checklist import STREAM
from support.streaming import Constant, Listener, change, client, event, silence, until

ACCOUNTS = "/data/AccountChangeEvent"
TOPIC = "/topic/AccountTopic"


@pytest.fixture(scope="module", autouse=True)
def streaming(org):
    """Account has change events, and a topic for each of its changes."""
    org.control("PATCH", "settings", {"changeDataCapture": ["Account", "Contact"]})
    made = clients.simple(org).PushTopic.create({
        "Name": "AccountTopic", "Query": "SELECT Id, Name, Phone FROM Account", "ApiVersion": 45.0, "NotifyForOperationCreate": True,
        "NotifyForOperationUpdate": True, "NotifyForOperationDelete": True, "NotifyForOperationUndelete": True, "NotifyForFields": "All"})
    assert made["id"].startswith("0IF")


def run(scenario, *arguments):
    asyncio.run(asyncio.wait_for(scenario(*arguments), 120))


def ids(message):
    return message["data"]["payload"]["ChangeEventHeader"]["recordIds"]


@pytest.mark.row(18, "subscribe to /data", STREAM)
def test_change_event_carries_header_and_values(org):
    async def scenario():
        async with client(org, Constant(ReplayOption.NEW_EVENTS)) as stream:
            await stream.subscribe(ACCOUNTS)
            sf = clients.simple(org)
            made = await change(sf.Account.create, {"Name": "Streamed", "Phone": "1"}, headers={"Sforce-Call-Options": "client=conformance"})
            message = await event(stream)
            assert message["channel"] == ACCOUNTS and set(message["data"]) == {"schema", "payload", "event"}
            header = message["data"]["payload"]["ChangeEventHeader"]
            assert {"entityName", "recordIds", "changeType", "changeOrigin", "transactionKey", "sequenceNumber", "commitTimestamp",
                    "commitNumber", "commitUser", "nulledFields", "diffFields", "changedFields"} <= set(header)
            assert (header["entityName"], header["changeType"], header["recordIds"]) == ("Account", "CREATE", [made["id"]])
            assert header["changeOrigin"] == "com/salesforce/api/rest/62.0;client=conformance"
            assert (message["data"]["payload"]["Name"], message["data"]["payload"]["Phone"]) == ("Streamed", "1")
            assert isinstance(message["data"]["event"]["replayId"], int)
            await change(sf.Account.update, made["id"], {"Phone": None})
            payload = (await event(stream))["data"]["payload"]
            assert payload["ChangeEventHeader"]["changeType"] == "UPDATE" and payload["Phone"] is None and "Name" not in payload
            assert "Phone" in payload["ChangeEventHeader"]["changedFields"]
            await change(sf.Account.delete, made["id"])
            payload = (await event(stream))["data"]["payload"]
            assert payload["ChangeEventHeader"]["changeType"] == "DELETE" and set(payload) == {"ChangeEventHeader"}
    run(scenario)


@pytest.mark.row(18, "subscribe to /data", STREAM)
def test_one_channel_for_every_object(org):
    async def scenario():
        async with client(org, Constant(ReplayOption.NEW_EVENTS)) as stream:
            await stream.subscribe("/data/ChangeEvents")
            account = await change(org.insert, "Account", Name="Any")
            contact = await change(org.insert, "Contact", LastName="Any")
            assert [ids(await event(stream)) for _ in range(2)] == [[account], [contact]]
    run(scenario)


@pytest.mark.row(18, "subscribe to /topic", STREAM)
def test_topic_tells_what_its_query_selects(org):
    async def scenario():
        async with client(org, Constant(ReplayOption.NEW_EVENTS)) as stream:
            await stream.subscribe(TOPIC)
            id = await change(org.insert, "Account", Name="On topic", Phone="1", Fax="2")
            message = await event(stream)
            assert message["channel"] == TOPIC and message["data"]["event"]["type"] == "created"
            assert message["data"]["sobject"] == {"Id": id, "Name": "On topic", "Phone": "1"}
            assert message["data"]["event"]["createdDate"].endswith("Z") and isinstance(message["data"]["event"]["replayId"], int)
            await change(org.update, "Account", id, Phone="3")
            message = await event(stream)
            assert (message["data"]["event"]["type"], message["data"]["sobject"]["Phone"]) == ("updated", "3")
            await change(org.delete, "Account", id)
            message = await event(stream)
            assert (message["data"]["event"]["type"], message["data"]["sobject"]) == ("deleted", {"Id": id})
    run(scenario)


@pytest.mark.row(18, "subscribe to /topic", STREAM)
def test_topic_that_does_not_exist(org):
    async def scenario():
        async with client(org, Constant(ReplayOption.NEW_EVENTS)) as stream:
            with pytest.raises(ServerError) as refused:
                await stream.subscribe("/topic/Nothing")
            assert refused.value.error_code in (400, 404) and "Nothing" in refused.value.error_message
    run(scenario)


async def published(org, count):
    """Some records whose events exist already, and the replay ids of those."""
    storage = Constant(ReplayOption.NEW_EVENTS)
    async with client(org, storage) as stream:
        await stream.subscribe(ACCOUNTS)
        made = [await change(org.insert, "Account", Name=f"Before {n}") for n in range(count)]
        messages = [await event(stream) for _ in made]
    assert [ids(message) for message in messages] == [[id] for id in made]
    replay_ids = [message["data"]["event"]["replayId"] for message in messages]
    assert replay_ids == sorted(set(replay_ids)), "replay ids grow"
    return made, replay_ids


@pytest.mark.row(18, "replay -2", STREAM)
def test_all_retained_events_come_again(org):
    async def scenario():
        made, replay_ids = await published(org, 3)
        async with client(org, Constant(ReplayOption.ALL_EVENTS)) as stream:
            await stream.subscribe(ACCOUNTS)
            found = []
            while len(found) < 3 or found[-1] != (made[-1], replay_ids[-1]):
                message = await event(stream)
                found.append((ids(message)[0], message["data"]["event"]["replayId"]))
            assert found[-3:] == list(zip(made, replay_ids))
            later = await change(org.insert, "Account", Name="After")
            assert ids(await event(stream)) == [later], "and the new ones after them"
    run(scenario)


@pytest.mark.row(18, "replay -1", STREAM)
def test_only_new_events_come(org):
    async def scenario():
        await published(org, 1)
        storage = Constant(ReplayOption.NEW_EVENTS)
        async with client(org, storage) as stream:
            await stream.subscribe(ACCOUNTS)
            assert storage.requests("/meta/subscribe")[0]["ext"]["replay"] == {ACCOUNTS: -1}
            await silence(stream)
            id = await change(org.insert, "Account", Name="New")
            assert ids(await event(stream)) == [id]
    run(scenario)


@pytest.mark.row(18, "replay N", STREAM)
def test_events_after_an_id_come(org):
    async def scenario():
        made, replay_ids = await published(org, 3)
        async with client(org, Constant(replay_ids[0])) as stream:
            await stream.subscribe(ACCOUNTS)
            assert [ids(await event(stream)) for _ in range(2)] == [[made[1]], [made[2]]]
            await silence(stream)
    run(scenario)


@pytest.mark.row(18, "replay N", STREAM)
def test_client_goes_on_where_its_storage_says(org):
    async def scenario():
        markers = {}
        async with client(org, Listener(markers)) as stream:
            await stream.subscribe(TOPIC)
            first = await change(org.insert, "Account", Name="First")
            assert (await event(stream))["data"]["sobject"]["Id"] == first
        missed = await change(org.insert, "Account", Name="Missed")
        async with client(org, Listener(markers)) as stream:
            await stream.subscribe(TOPIC)
            assert (await event(stream))["data"]["sobject"]["Id"] == missed
    run(scenario)


@pytest.mark.row(18, "expired replay id: 400", STREAM)
def test_replay_id_that_is_no_longer_kept(org):
    async def scenario():
        _, replay_ids = await published(org, 2)
        await change(org.control, "DELETE", "streaming/events", channel=ACCOUNTS)
        async with client(org, Constant(replay_ids[0])) as stream:
            with pytest.raises(ServerError) as refused:
                await stream.subscribe(ACCOUNTS)
            assert refused.value.error_code == 400
            assert refused.value.error_message == (
                f"The replayId {{{replay_ids[0]}}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, "
                "or -1 to replay only new events.")
    run(scenario)


@pytest.mark.row(18, "expired replay id: 400", STREAM)
def test_client_falls_back_to_what_is_kept(org):
    async def scenario():
        _, replay_ids = await published(org, 2)
        await change(org.control, "DELETE", "streaming/events", channel=ACCOUNTS)
        kept = await change(org.insert, "Account", Name="Kept")
        async with client(org, Constant(replay_ids[0]), replay_fallback=ReplayOption.ALL_EVENTS) as stream:
            await stream.subscribe(ACCOUNTS)
            assert ids(await event(stream)) == [kept]
    run(scenario)


@pytest.mark.row(18, "403::Unknown client: handshake again", STREAM)
def test_forgotten_client_shakes_hands_again_and_subscribes_again(org):
    async def scenario():
        storage = Constant(ReplayOption.NEW_EVENTS)
        async with client(org, storage) as stream:
            await stream.subscribe(ACCOUNTS)
            await change(org.control, "DELETE", "streaming/clients")
            await until(lambda: len(storage.replies("/meta/handshake")) == 2, "a second handshake")
            refused = [reply for reply in storage.replies("/meta/connect") if not reply["successful"]]
            assert {reply["error"] for reply in refused} == {"403::Unknown client"}, "the client asks twice, with a new token"
            assert refused[0]["advice"] == {"reconnect": "handshake", "interval": 0}
            await until(lambda: [reply["successful"] for reply in storage.replies("/meta/subscribe")] == [True, True], "the second subscription")
            id = await change(org.insert, "Account", Name="After the handshake")
            assert ids(await event(stream)) == [id]
        first, second = (reply["clientId"] for reply in storage.replies("/meta/handshake"))
        assert first != second
    run(scenario)


@pytest.mark.row(18, "connect is held", STREAM)
def test_first_connect_returns_at_once_and_the_next_is_held_until_there_is_an_event(org):
    async def scenario():
        storage = Constant(ReplayOption.NEW_EVENTS)
        async with client(org, storage) as stream:
            (first,) = storage.replies("/meta/connect")
            assert first["successful"] and first["advice"] == {"interval": 0, "timeout": 110_000, "reconnect": "retry"}
            await stream.subscribe(ACCOUNTS)
            await until(lambda: len(storage.requests("/meta/connect")) == 2, "the second connect")
            await silence(stream)
            assert len(storage.replies("/meta/connect")) == 1, "the second is still held"
            await change(org.insert, "Account", Name="Wakes it")
            await event(stream)
            payload = next(payload for _, payload, _ in reversed(storage.came) if any(m["channel"] == ACCOUNTS for m in payload))
            assert [message["channel"] for message in payload] == [ACCOUNTS, "/meta/connect"], "events first, in one array"
    run(scenario)


@pytest.mark.row(18, "connect is held", STREAM)
def test_handshake_offers_long_polling_only(org):
    async def scenario():
        storage = Listener()
        async with client(org, storage):
            (reply,) = storage.replies("/meta/handshake")
            assert reply["successful"] and reply["supportedConnectionTypes"] == ["long-polling"] and reply["version"] == "1.0"
            assert reply["ext"]["replay"] is True and reply["clientId"]
    run(scenario)


@pytest.mark.row(18, "cookies", STREAM)
def test_handshake_sets_cookies(org):
    async def scenario():
        storage = Listener()
        async with client(org, storage):
            cookies = " ".join(value for _, _, headers in storage.came[:1] for name, value in headers.items() if name.lower() == "set-cookie")
            assert "BAYEUX_BROWSER=" in cookies
    run(scenario)


@pytest.mark.row(18, "cookies", STREAM)
def test_client_that_loses_its_cookies_is_unknown(org):
    """The client drops the cookies of a host that is an IP address."""
    async def scenario():
        storage = Listener()
        with pytest.raises(ServerError) as refused:
            async with client(org, storage, host="127.0.0.1"):
                pass
        assert (refused.value.error_code, refused.value.error_message) == (403, "Unknown client")
        assert [reply["successful"] for reply in storage.replies("/meta/handshake")][0] is True
    run(scenario)


@pytest.mark.row(18, "killed session: 401", STREAM)
def test_end_of_the_session_is_told_by_connect_and_the_client_goes_on_with_a_new_token(org):
    async def scenario():
        storage = Constant(ReplayOption.NEW_EVENTS)
        async with client(org, storage) as stream:
            await stream.subscribe(ACCOUNTS)
            await change(org.expire_sessions)
            await until(lambda: any(not reply["successful"] for reply in storage.replies("/meta/connect")), "the end of the session")
            refused = next(reply for reply in storage.replies("/meta/connect") if not reply["successful"])
            assert refused["error"] == "401::Authentication invalid" and refused["advice"] == {"reconnect": "none", "interval": 0}
            await until(lambda: [reply["successful"] for reply in storage.replies("/meta/subscribe")] == [True, True], "the second subscription")
            assert len(stream.auth.tokens) == 2, "the client has logged in again"
            id = await change(org.insert, "Account", Name="With a new token")
            assert ids(await event(stream)) == [id]
    run(scenario)


@pytest.mark.row(18, "killed session: 401", STREAM)
def test_handshake_with_a_dead_token_is_denied(org):
    async def scenario():
        storage = Listener()
        stream = client(org, storage)

        async def authenticate():
            return 200, {"access_token": "00D000000000001!dead", "token_type": "Bearer", "instance_url": stream.auth.address}

        stream.auth._authenticate = authenticate
        with pytest.raises((ServerError, AuthenticationError)):
            await stream.open()
        reply = storage.replies("/meta/handshake")[0]
        assert reply["successful"] is False and reply["error"].startswith("403::Handshake denied")
        assert reply["ext"]["sfdc"]["failureReason"] == "401::Authentication invalid"
    run(scenario)


@pytest.mark.row(19, "GAP events", STREAM)
@pytest.mark.parametrize("kind", ["CREATE", "UPDATE", "DELETE", "UNDELETE"])
def test_gap_has_a_header_and_nothing_else(org, kind):
    async def scenario():
        id = await change(org.insert, "Account", Name="In the gap")
        async with client(org, Constant(ReplayOption.NEW_EVENTS)) as stream:
            await stream.subscribe(ACCOUNTS)
            await change(org.control, "POST", "streaming/gap", {"object": "Account", "kind": kind, "ids": [id]})
            payload = (await event(stream))["data"]["payload"]
            assert set(payload) == {"ChangeEventHeader"}
            assert (payload["ChangeEventHeader"]["changeType"], payload["ChangeEventHeader"]["recordIds"]) == (f"GAP_{kind}", [id])
    run(scenario)


@pytest.mark.row(19, "GAP events", STREAM)
def test_overflow_names_no_record(org):
    async def scenario():
        async with client(org, Constant(ReplayOption.NEW_EVENTS)) as stream:
            await stream.subscribe(ACCOUNTS)
            await change(org.control, "POST", "streaming/gap", {"object": "Account", "kind": "OVERFLOW"})
            header = (await event(stream))["data"]["payload"]["ChangeEventHeader"]
            assert (header["changeType"], header["recordIds"]) == ("GAP_OVERFLOW", ["000000000000000AAA"])
    run(scenario)
