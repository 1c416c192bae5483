import GRDB
import Logging

/// One request and its answer: faults first, then the family's handler, then the log.
struct Exchange: Sendable {
    let org: Org

    /// What a first look decided for a request that a fault holds back.
    struct Admission: Sendable {
        var fault: Fault?
        var stamp: Int64
    }

    private enum Step: Sendable {
        case wait(milliseconds: Int, Admission)
        case reply(Reply)
    }

    func answer(_ request: SimRequest) async throws -> Reply {
        if request.segments.first == "_sim" { return try await ControlRouter(org: org).answer(request) }
        if RecordPage.serves(request) { return try await RecordPage(org: org).answer(request) }
        do {
            var step = try await org.perform { state, db in try Exchange.step(request, admitted: nil, state, db) }
            if case .wait(let milliseconds, let admission) = step {
                try await Task.sleep(for: .milliseconds(milliseconds))
                step = try await org.perform { state, db in
                    state.openTransactions.end(admission.stamp)
                    return try Exchange.step(request, admitted: admission, state, db)
                }
            }
            guard case .reply(let ready) = step else { return Reply(500) }
            let reply = try await settle(ready, request)
            if reply.delay > 0 {
                try await Task.sleep(for: .milliseconds(reply.delay))
                try await org.perform { state, _ in state.endService(of: request) }
            }
            return reply
        } catch {
            // A client that leaves, or a failure, ends the request all the same.
            try await org.perform { state, _ in state.endService(of: request) }
            throw error
        }
    }

    private static func step(_ request: SimRequest, admitted: Admission?, _ state: OrgState, _ db: Database) throws -> Step {
        let handler = family(of: request, state, db)
        var call = handler.describe()
        call.client = request.client ?? call.client
        let fault = admitted == nil ? state.faults.match(request, call) ?? state.plan?.draw(request, call) : admitted?.fault
        if admitted == nil, let fault, let pause = fault.pauseBefore {
            let admission = Admission(fault: fault, stamp: state.stamp)
            // A commit that comes late is a transaction that has been open since its stamp.
            if fault.kind == .lateCommit { state.openTransactions.begin(admission.stamp) }
            state.service.begin(request, now: state.machineNow)
            return .wait(milliseconds: pause, admission)
        }
        var reply: Reply
        if let fault, fault.kind == .abandon {
            // The client is gone; the transaction stays open until it is done, and holds the horizon.
            _ = state.openTransactions.hold(stamp: state.stamp, due: state.now + Int64(fault.milliseconds)) { state, db, stamp in
                var call = handler.describe()
                _ = try work(request, handler, &call, nil, isAdmitted: true, stamp: stamp, state, db)
            }
            reply = Reply(0)
            reply.drops = true
        } else {
            let stamp = fault?.kind == .lateCommit ? admitted?.stamp : nil
            reply = try work(request, handler, &call, fault, isAdmitted: admitted != nil, stamp: stamp ?? state.stamp, state, db)
        }
        if let fault { fault.shape(&reply) }
        reply.delay += state.service.time(call, state.settings.service)
        if reply.delay > 0 { try state.beginService(of: request, call, db) } else { state.endService(of: request) }
        finish(&reply, request, call, state)
        state.calls.append(request, call, reply, fault: fault, at: state.now)
        return .reply(reply)
    }

    /// Does what a call asks for, or answers what stands in its way.
    private static func work(
        _ request: SimRequest, _ handler: any FamilyHandler, _ call: inout CallDescription, _ fault: Fault?, isAdmitted: Bool, stamp: Int64,
        _ state: OrgState, _ db: Database
    ) throws -> Reply {
        try fault?.prepare(request, call, state, db)
        // A request that has begun is not turned away.
        let overload = !isAdmitted && state.service.isOverloaded(state.settings.service, now: state.machineNow) && call.family != .oauth
        let substitute = fault?.substitute
        switch state.instance.refusal(of: request, call) ?? (fault?.worksFirst == true ? nil : substitute) ?? (overload ? .error(Fault.concurrentLimit) : nil) {
        case .reply(let ready): return ready
        case .error(let error): return handler.refusal(error)
        case nil: break
        }
        var context = CallContext(state: state, db: db, stamp: stamp)
        context.rejections = fault?.rejections(call) ?? [:]
        state.journal.origin = ChangeOrigin(call)
        let reply = try state.readLag.asSeen(call, state, db) { respond(handler, &call, &context) }
        try fault?.follow(call, state, db)
        // The work is done, and the answer does not say so.
        switch fault?.worksFirst == true ? substitute : nil {
        case .reply(let other): return other
        case .error(let error): return handler.refusal(error)
        case nil: return reply
        }
    }

    private static func respond(_ handler: any FamilyHandler, _ call: inout CallDescription, _ context: inout CallContext) -> Reply {
        do {
            if call.family != .oauth, call.family != .streaming, !["versions", "login", "wsdl"].contains(call.operation) {
                try context.countRequest()
            }
            return try handler.answer(&call, &context)
        } catch {
            return handler.refusal(of: error)
        }
    }

    private static func finish(_ reply: inout Reply, _ request: SimRequest, _ call: CallDescription, _ state: OrgState) {
        reply.headers.append(("Date", TimeText.http(state.now)))
        reply.headers.append(("X-SFDC-Request-Id", request.identifier))
        if call.family == .rest || call.family == .bulk2 {
            reply.headers.append(("Sforce-Limit-Info", "api-usage=\(state.usedRequests)/\(state.settings.dailyRequests)"))
            reply.headers.append(("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private"))
        }
    }

    private static func family(of request: SimRequest, _ state: OrgState, _ db: Database) -> any FamilyHandler {
        let segments = request.segments.map { $0.lowercased() }
        if segments.first == "cometd" { return BayeuxHandler(request: request) }
        if segments.first == "id" { return OAuthHandler(request: request) }
        guard segments.first == "services", segments.count >= 2 else { return UnknownHandler() }
        switch segments[1] {
        case "oauth2": return OAuthHandler(request: request)
        case "soap": return SOAPHandler(request: request)
        case "wsdl": return WSDLHandler(request: request)
        case "async": return Bulk1Handler(request: request, jobs: state.jobs)
        case "data":
            if segments.count >= 5, segments[3] == "jobs", segments[4] == "ingest" { return Bulk2IngestHandler(request: request, jobs: state.jobs) }
            if segments.count >= 5, segments[3] == "jobs" { return Bulk2Handler(request: request, jobs: state.jobs) }
            return RESTHandler(request: request)
        default: return UnknownHandler()
        }
    }
}

/// One API of the org.
protocol FamilyHandler {
    /// What the request asks for; parses as much as that takes.
    func describe() -> CallDescription
    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply
    /// A refusal in the family's form.
    func refusal(_ error: APIError) -> Reply
}

extension FamilyHandler {
    /// Whatever stopped the work, in the family's form.
    func refusal(of error: any Error) -> Reply {
        switch error {
        case let error as APIError: refusal(error)
        case let failure as JSONParser.Failure:
            refusal(APIError(400, "JSON_PARSER_ERROR", "\(failure.message) at offset \(failure.offset)"))
        case let error as RecordError: refusal(APIError(400, error.code, error.message, fields: error.fields))
        // Only the kind of failure goes out: its text may hold records.
        default: refusal(APIError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred: \(type(of: error)) ErrorId: 1-1 (1)"))
        }
    }
}

struct UnknownHandler: FamilyHandler {
    func describe() -> CallDescription { CallDescription(.other, "unknown") }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply { throw APIError.notFound() }

    func refusal(_ error: APIError) -> Reply { RESTHandler.refusal(error) }
}
