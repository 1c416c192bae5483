internal import HandleQueue

/// Wake-ups of one LISTEN. Any number of notifications between two looks is one wake-up. Ends with an error when the
/// connection is lost.
public typealias PostgresWakes = AsyncThrowingStream<Void, any Error>

extension PostgresSession {
    struct Subscription {
        let channel: String
        let wakes: PostgresWakes.Continuation
    }

    /// Listens on a channel while `body` runs. `body` may use the session for statements meanwhile.
    ///
    /// - Parameter channel: the name itself, unquoted.
    /// - Throws: what `body` throws; ``PostgresError`` when LISTEN fails.
    nonisolated(nonsending) public func listen<R>(
        _ channel: String, body: (PostgresWakes) async throws -> R
    ) async throws -> R {
        let (wakes, continuation) = PostgresWakes.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = try await subscribe(Subscription(channel: channel, wakes: continuation))
        do {
            let result = try await body(wakes)
            await unsubscribe(number)
            return result
        } catch {
            await unsubscribe(number)
            throw error
        }
    }

    private func subscribe(_ subscription: Subscription) async throws(PostgresError) -> UInt64 {
        let quoted = try quoteIdentifier(subscription.channel)
        lastSubscription += 1
        let number = lastSubscription
        // Before LISTEN, so that nothing that arrives with its answer is missed.
        subscriptions[number] = subscription
        do throws(PostgresError) {
            _ = try await query("LISTEN \(quoted)", [])
            try watchSocket()
        } catch {
            subscriptions[number] = nil
            throw error
        }
        return number
    }

    private func unsubscribe(_ number: UInt64) async {
        guard let subscription = subscriptions.removeValue(forKey: number) else { return }
        subscription.wakes.finish()
        if subscriptions.isEmpty { watch = nil }
        guard !subscriptions.values.contains(where: { $0.channel == subscription.channel }) else { return }
        await gate.enterAlways()
        defer { gate.leave() }
        do throws(PostgresError) {
            guard let quoted = try connection?.quoteIdentifier(subscription.channel) else { return }
            _ = try await run(heedingCancellation: false) { connection, interrupt throws(PostgresError) in
                try connection.query("UNLISTEN \(quoted)", [], &interrupt)
            }
        } catch {
            // A session that still listens would wake nobody: harmless, and it is lost or in a failed transaction anyway.
        }
    }

    private func watchSocket() throws(PostgresError) {
        guard watch == nil, let socket = connection?.socket else { return }
        watch = SocketWatch(socket: socket, queue: executor.queue) { [weak self] in
            self?.assumeIsolated { $0.deliverNotifications() }
        }
        if watch == nil { throw PostgresError(code: .misuse, serverMessage: "no file descriptors left") }
    }

    /// Wakes the listeners of what has arrived. Runs when the idle socket is readable, and after each statement.
    func deliverNotifications() {
        if subscriptions.isEmpty { return }
        do throws(PostgresError) {
            for channel in Set(try connection?.takeNotifications() ?? []) {
                for subscription in subscriptions.values where subscription.channel == channel {
                    subscription.wakes.yield()
                }
            }
        } catch {
            lose(error)
        }
    }
}
