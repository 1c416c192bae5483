import SalesforceAPI
import ServiceLifecycle
import Testing

@testable import Relay

@Suite("supervision")
struct SupervisionTests {
    @Test("wake-ups before the wait are one and are not lost", .timeLimit(.minutes(1)))
    func coalesced() async {
        let wakes = Wakeups(), clock = ContinuousClock()
        wakes.raise()
        wakes.raise()
        let first = await clock.measure { await wakes.wait(upTo: .seconds(30)) }
        let second = await clock.measure { await wakes.wait(upTo: .milliseconds(200)) }
        #expect(first < .seconds(10))
        #expect(second >= .milliseconds(200))
    }

    @Test("a wait ends with its task", .timeLimit(.minutes(1)))
    func cancelled() async {
        let wakes = Wakeups()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await wakes.wait(upTo: .seconds(3600)) }
            group.cancelAll()
        }
    }

    @Test("failed logins wait together, longer with each failure, and a new cause starts anew")
    func login() {
        let start = ContinuousClock.now
        let refused = SalesforceError(.configuration, code: "invalid_client", message: "no", operation: "login")
        let limited = SalesforceError(.limit(retryAfter: .seconds(90)), code: "L", message: "later", operation: "login")
        var login = LoginBackoff()
        #expect(login.refusal(at: start) == nil && !login.isFailing)
        let wait = login.failed(refused, at: start)
        #expect(wait >= .seconds(1) && wait <= .seconds(2))
        #expect(login.refusal(at: start) == refused)
        #expect(login.refusal(at: start + wait) == nil)
        let again = SalesforceError(.configuration, code: "invalid_client", message: "no", requestID: "another", operation: "login")
        _ = login.failed(again, at: start)
        #expect(login.failures == 2)
        #expect(login.failed(limited, at: start) >= .seconds(90))
        #expect(login.failures == 1)
    }

    @Test("only addresses of this machine count as loopback", arguments: [
        ("http://127.0.0.1:8090", true), ("http://localhost:1/x", true), ("http://[::1]:80", true), ("http://127.8.9.1", true),
        ("https://acme.my.salesforce.com", false), ("http://127.0.0.1.example.com", false), ("http://localhost.example.com", false),
        ("http://example.com/127.0.0.1", false), ("127.0.0.1", false),
    ])
    func loopback(url: String, isLoopback: Bool) {
        #expect(Loopback.isLoopback(url: url) == isLoopback)
    }

    @Test("durations are written as Heroku Connect writes them", arguments: [
        (Duration.milliseconds(310), "0.31"), (.milliseconds(4), "0.00"), (.milliseconds(5), "0.01"), (.seconds(12), "12.00"),
    ])
    func seconds(duration: Duration, text: String) {
        #expect(duration.secondsText == text)
    }
}
