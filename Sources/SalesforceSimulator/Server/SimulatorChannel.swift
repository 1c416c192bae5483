import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// An HTTP/1.1 connection that inflates requests and compresses answers when asked, as Salesforce does both.
struct SimulatorChannel: ServerChildChannel, HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 256 * 1024
            limits.maxHeaderListSize = 256 * 1024
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(RequestHeads())
            try pipeline.addHandler(HTTPResponseCompressor(initialByteBufferCapacity: 64 * 1024))
            try pipeline.addHandler(NIOHTTPRequestDecompressor(limit: .size(SpooledBody.largest)))
            try pipeline.addHandler(ConnectionWatchHandler())
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}

/// Tells a client that waits with its body to go on, and leaves gzip as the only encoding it may be given: the org knows no other.
///
/// It stands before the compressor, which would take a 100 for the answer itself.
private final class RequestHeads: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
        }
        let accepted = head.headers[canonicalForm: "accept-encoding"]
        let gzip = accepted.first { $0 == "gzip" || ($0.hasPrefix("gzip;") && !$0.hasSuffix("q=0")) }
        head.headers.remove(name: "accept-encoding")
        if gzip != nil { head.headers.add(name: "accept-encoding", value: "gzip") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
