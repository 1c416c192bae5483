import NIOCore
import Synchronization

/// Tells a call that waits when its connection ends: a client that went away must not be delivered events.
final class ConnectionWatch: Sendable {
    private struct State {
        var isClosed = false
        var handler: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Runs `handler` once when the connection ends; at once when it has. One handler at a time, since a connection has one call at a time.
    func whenClosed(_ handler: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            state.handler = state.isClosed ? nil : handler
            return state.isClosed
        }
        if isClosed { handler() }
    }

    func forgetCloseHandler() { state.withLock { $0.handler = nil } }

    fileprivate func close() {
        let handler = state.withLock { state in
            state.isClosed = true
            defer { state.handler = nil }
            return state.handler
        }
        handler?()
    }

    /// The watch of a connection; nil when it has ended.
    static func of(_ channel: any Channel) async -> ConnectionWatch? {
        try? await channel.eventLoop.submit { try channel.pipeline.syncOperations.handler(type: ConnectionWatchHandler.self).watch }.get()
    }
}

/// Sees the end of a connection, also while nobody reads from it.
final class ConnectionWatchHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    let watch = ConnectionWatch()

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { watch.close() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        watch.close()
        context.fireChannelInactive()
    }
}
