import Foundation
import GRDB

/// Several calls in one (wire reference 2.9): `composite`, whose parts may use what earlier ones answered, and `composite/batch`,
/// whose parts are on their own.
struct CompositeCall {
    let request: SimRequest
    let version: String
    let document: JSON
    let context: CallContext

    /// Parts of one call, and queries and collections among them.
    private static let largest = 25
    private static let largestQueries = 5

    private struct Part {
        var status: Int
        var body: JSON
        var headers: JSON = [:]
    }

    // MARK: composite

    func composite() throws -> JSON {
        guard let parts = document["compositeRequest"]?.elements, !parts.isEmpty else {
            throw APIError(400, "JSON_PARSER_ERROR", "compositeRequest is required: a list of calls")
        }
        try check(parts)
        let allOrNone = document["allOrNone"]?.bool ?? false
        var answers: [(name: String, part: Part)] = []
        try context.state.savepoint(context.db) {
            var known: [String: JSON] = [:]
            var failed: Set<String> = []
            for part in parts {
                let name = part["referenceId"]?.string ?? ""
                let answer: Part
                do {
                    let resolved = try CompositeReferences(known: known, failed: failed).resolve(part)
                    answer = run(method: resolved["method"]?.string ?? "GET", target: resolved["url"]?.string ?? "", body: resolved["body"],
                        headers: resolved["httpHeaders"])
                } catch let error as APIError {
                    answer = CompositeCall.refused(error)
                }
                if answer.status < 300 { known[name] = answer.body } else { failed.insert(name) }
                answers.append((name, answer))
                if allOrNone, answer.status >= 300 { break }
            }
            guard allOrNone, let culprit = answers.firstIndex(where: { $0.part.status >= 300 }) else { return .commit }
            let rolledBack = CompositeCall.refused(APIError(
                400, "PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed."))
            let names = parts.map { $0["referenceId"]?.string ?? "" }
            answers = names.enumerated().map { ($1, $0 == culprit ? answers[culprit].part : rolledBack) }
            return .rollback
        }
        return ["compositeResponse": .array(answers.map { name, part in
            ["body": part.body, "httpHeaders": part.headers, "httpStatusCode": .int(part.status), "referenceId": .string(name)]
        })]
    }

    private func check(_ parts: [JSON]) throws {
        guard parts.count <= CompositeCall.largest else {
            throw APIError(400, "LIMIT_EXCEEDED", "A composite request holds at most \(CompositeCall.largest) calls, this one \(parts.count)")
        }
        let costly = parts.count { part in
            let url = (part["url"]?.string ?? "").lowercased()
            return url.contains("/query") || url.contains("/composite/sobjects")
        }
        guard costly <= CompositeCall.largestQueries else {
            throw APIError(400, "LIMIT_EXCEEDED", "A composite request holds at most \(CompositeCall.largestQueries) queries and collections, this one \(costly)")
        }
        var names: Set<String> = []
        for part in parts {
            guard let name = part["referenceId"]?.string, !name.isEmpty else { throw APIError(400, "MISSING_ARGUMENT", "each call needs a referenceId") }
            guard names.insert(name).inserted else { throw APIError(400, "DUPLICATE_VALUE", "referenceId \(name) stands twice") }
        }
    }

    // MARK: composite/batch

    func batch() throws -> JSON {
        guard let parts = document["batchRequests"]?.elements, !parts.isEmpty else {
            throw APIError(400, "JSON_PARSER_ERROR", "batchRequests is required: a list of calls")
        }
        guard parts.count <= CompositeCall.largest else {
            throw APIError(400, "LIMIT_EXCEEDED", "A batch holds at most \(CompositeCall.largest) calls, this one \(parts.count)")
        }
        let halts = document["haltOnError"]?.bool ?? false
        var results: [Part] = []
        for part in parts {
            if halts, results.contains(where: { $0.status >= 400 }) {
                results.append(CompositeCall.refused(APIError(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")))
                continue
            }
            // Each part counts as a call; the batch itself was counted before.
            if !results.isEmpty { try context.countRequest() }
            let url = part["url"]?.string ?? ""
            results.append(run(
                method: part["method"]?.string ?? "GET", target: url.hasPrefix("/services/") ? url : "/services/data/" + url.drop { $0 == "/" },
                body: part["richInput"], headers: nil))
        }
        return [
            "hasErrors": .bool(results.contains { $0.status >= 400 }),
            "results": .array(results.map { ["statusCode": .int($0.status), "result": $0.body] }),
        ]
    }

    // MARK: One part

    private func run(method: String, target: String, body: JSON?, headers: JSON?) -> Part {
        var inner = SimRequest(
            method: method, target: target, headers: request.headers, body: body.map { Data($0.text.utf8) } ?? Data(), identifier: request.identifier)
        for header in headers?.members ?? [] { inner.headers[header.key.lowercased()] = header.value.string }
        let handler = RESTHandler(request: inner)
        guard inner.segments.first == "services", inner.segments.dropFirst().first == "data", handler.resource.first?.lowercased() != "composite"
            || handler.resource.dropFirst().first?.lowercased() == "sobjects"
        else { return CompositeCall.refused(APIError.notFound("\(target) cannot be part of a composite call")) }
        var call = handler.describe()
        var copy = context
        var part: Part?
        try? context.state.savepoint(context.db) {
            let reply = handler.reply(&call, &copy)
            var body: JSON = .null
            if case .data(let data) = reply.body, !data.isEmpty { body = (try? JSONParser.parse(data)) ?? .null }
            var headers: JSON = [:]
            for (name, value) in reply.headers where name == "Location" { headers.set(name, .string(value)) }
            part = Part(status: reply.status, body: body, headers: headers)
            return reply.status < 400 ? .commit : .rollback
        }
        return part ?? CompositeCall.refused(APIError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred"))
    }

    private static func refused(_ error: APIError) -> Part {
        let reply = RESTHandler.refusal(error)
        guard case .data(let data) = reply.body else { return Part(status: reply.status, body: .null) }
        return Part(status: reply.status, body: (try? JSONParser.parse(data)) ?? .null)
    }
}

/// `@{reference.path}` in the address or body of a part stands for what an earlier part answered.
struct CompositeReferences {
    let known: [String: JSON]
    let failed: Set<String>

    func resolve(_ value: JSON) throws -> JSON {
        switch value {
        case .string(let text): return .string(try replace(text))
        case .array(let elements): return .array(try elements.map(resolve))
        case .object(let members): return .object(try members.map { JSON.Member(key: $0.key, value: try resolve($0.value)) })
        default: return value
        }
    }

    private func replace(_ text: String) throws -> String {
        var result = ""
        var rest = Substring(text)
        while let start = rest.range(of: "@{") {
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else { break }
            result += rest[..<start.lowerBound]
            result += try value(String(rest[start.upperBound..<end]))
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// The value at a path such as `account.id` or `accounts.records[0].Id`.
    private func value(_ path: String) throws -> String {
        let steps = path.split(whereSeparator: { $0 == "." || $0 == "[" || $0 == "]" }).map(String.init)
        guard let name = steps.first, var current = known[name] else {
            throw APIError(400, "PROCESSING_HALTED", failed.contains(steps.first ?? "")
                ? "The call \(steps.first ?? "") failed, so @{\(path)} has no value" : "Invalid reference specified: no earlier call is named \(steps.first ?? "")")
        }
        for step in steps.dropFirst() {
            if let index = Int(step), current.elements.indices.contains(index) {
                current = current.elements[index]
            } else if let member = current[step] {
                current = member
            } else {
                throw APIError(400, "PROCESSING_HALTED", "Invalid reference specified. No value for \(path) found in \(name)")
            }
        }
        return current.string ?? current.text
    }
}
