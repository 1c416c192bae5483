import Synchronization

/// Connects that wait for events: each is a continuation here, never a place on the org.
///
/// A ticket is reserved on the org, in the same step that finds nothing to deliver; an event that comes before the
/// connection has begun to wait is remembered with the ticket.
final class HeldConnects: Sendable {
    enum Wake: Sendable {
        /// There are events.
        case events
        case timeout
        /// Another connect of the client has taken its place.
        case superseded
        /// The session died.
        case unauthorized
        case disconnected
        /// The org has forgotten the client.
        case forgotten
        /// The connection or the simulator ends: nobody reads an answer.
        case closed
    }

    private enum Place {
        case reserved
        case woken(Wake)
        case waiting(CheckedContinuation<Wake, Never>)
    }

    private struct Places {
        var byTicket: [Int: Place] = [:]
        var lastTicket = 0
        var isClosed = false
    }

    private let places = Mutex(Places())

    var isEmpty: Bool { places.withLock { $0.byTicket.isEmpty } }

    func reserve() -> Int {
        places.withLock { places in
            places.lastTicket += 1
            places.byTicket[places.lastTicket] = places.isClosed ? .woken(.closed) : .reserved
            return places.lastTicket
        }
    }

    /// The first reason counts; later ones come too late.
    func wake(_ ticket: Int, _ wake: Wake) {
        let waiting = places.withLock { places -> CheckedContinuation<Wake, Never>? in
            switch places.byTicket[ticket] {
            case .reserved:
                places.byTicket[ticket] = .woken(wake)
                return nil
            case .waiting(let continuation):
                places.byTicket[ticket] = nil
                return continuation
            case .woken, nil: return nil
            }
        }
        waiting?.resume(returning: wake)
    }

    /// Waits until the ticket is woken, or `milliseconds` have passed; a cancelled task is woken at once.
    func wait(_ ticket: Int, milliseconds: Int) async -> Wake {
        await withTaskGroup(of: Void.self, returning: Wake.self) { group in
            group.addTask {
                do { try await Task.sleep(for: .milliseconds(milliseconds)) } catch { return }
                self.wake(ticket, .timeout)
            }
            let wake = await withTaskCancellationHandler {
                await withCheckedContinuation { self.enter(ticket, $0) }
            } onCancel: {
                self.wake(ticket, .closed)
            }
            group.cancelAll()
            return wake
        }
    }

    private func enter(_ ticket: Int, _ continuation: CheckedContinuation<Wake, Never>) {
        let ready = places.withLock { places -> Wake? in
            switch places.byTicket[ticket] {
            case .woken(let wake):
                places.byTicket[ticket] = nil
                return wake
            case .reserved where !places.isClosed:
                places.byTicket[ticket] = .waiting(continuation)
                return nil
            default:
                places.byTicket[ticket] = nil
                return .closed
            }
        }
        if let ready { continuation.resume(returning: ready) }
    }

    /// Lets everyone go who waits or comes later: the simulator stops.
    func close() {
        let tickets = places.withLock { places in
            places.isClosed = true
            return Array(places.byTicket.keys)
        }
        for ticket in tickets { wake(ticket, .closed) }
    }
}

/// A connect that is answered later, and what its answer will hold besides.
struct HeldConnect: Sendable {
    var ticket: Int
    var clientId: String
    var milliseconds: Int
    /// The connect's `id`, echoed.
    var messageId: JSON?
    /// Replies to the other messages of the same request.
    var earlier: [String]
}

extension Exchange {
    /// Waits where the reply is a held connect, then answers with what there is.
    func settle(_ reply: Reply, _ request: SimRequest) async throws -> Reply {
        guard let held = reply.held else { return reply }
        request.connection?.whenClosed { [connects = org.connects] in connects.wake(held.ticket, .closed) }
        let wake = await org.connects.wait(held.ticket, milliseconds: held.milliseconds)
        request.connection?.forgetCloseHandler()
        var reply = reply
        reply.held = nil
        let messages = try await org.perform { state, db in try BayeuxDelivery.finish(held, wake, state, db) }
        if let messages {
            reply.body = Reply.bayeux(messages).body
        } else {
            reply.drops = true
        }
        return reply
    }
}
